/**
 * The numbers of the SOCKS texts, once.
 *
 * @module
 */

/** VER of SOCKS4 and 4a. */
export const SOCKS4_VERSION = 0x04;
/** VER of SOCKS5 (RFC 1928). */
export const SOCKS5_VERSION = 0x05;

/** METHOD (RFC 1928 section 3). */
export const Method = {
  NONE: 0x00,
  GSSAPI: 0x01,
  USERNAME_PASSWORD: 0x02,
  CHAP: 0x03,
  NO_ACCEPTABLE: 0xff,
} as const;

/** CMD (RFC 1928 section 4; SOCKS4's CD has the same numbers for the first two), and Tor's extensions. */
export const Command = {
  CONNECT: 0x01,
  BIND: 0x02,
  UDP_ASSOCIATE: 0x03,
  /** Tor's: the address of a name. SOCKS5 and SOCKS4. */
  RESOLVE: 0xf0,
  /** Tor's: the name of an address. SOCKS5 alone. */
  RESOLVE_PTR: 0xf1,
} as const;

/** ATYP (RFC 1928 section 5). */
export const AddressType = {
  IPV4: 0x01,
  DOMAINNAME: 0x03,
  IPV6: 0x04,
} as const;

/** REP (RFC 1928 section 6). */
export const Reply = {
  SUCCEEDED: 0x00,
  GENERAL_FAILURE: 0x01,
  NOT_ALLOWED: 0x02,
  NETWORK_UNREACHABLE: 0x03,
  HOST_UNREACHABLE: 0x04,
  CONNECTION_REFUSED: 0x05,
  TTL_EXPIRED: 0x06,
  COMMAND_NOT_SUPPORTED: 0x07,
  ADDRESS_TYPE_NOT_SUPPORTED: 0x08,
} as const;

/** CD of a SOCKS4 reply. */
export const Socks4Reply = {
  GRANTED: 90,
  REJECTED: 91,
  NO_IDENTD: 92,
  USER_MISMATCH: 93,
} as const;
