/**
 * The client's side of the protocols, by hand: bytes that go out and what must come back.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { bytes, hex, ipv4Bytes, LOOPBACK6, type Part, portBytes, type To, Wire } from "./_client.ts";

/** Greeting with the one method "no authentication". */
export const GREETING: Uint8Array = bytes(5, 1, 0);

/** A name with a longer label than DNS has: resolvers reject it by themselves, whatever name servers do. */
export const NO_NAME: string = `${"x".repeat(64)}.test`;

/** Commands of SOCKS5 (SOCKS4 has the first two). */
export const CONNECT = 1, BIND = 2, ASSOCIATE = 3;

/** An address in the form of a SOCKS5 request: `127.0.0.1`, `::1` and `::`, or a name. */
export function socks5Address(host: string, port: number): Uint8Array {
  if (/^[\d.]+$/.test(host)) return bytes(1, ipv4Bytes(host), portBytes(port));
  if (host === "::1") return bytes(4, LOOPBACK6, portBytes(port));
  if (host === "::") return bytes(4, new Uint8Array(16), portBytes(port));
  return name5(host, port);
}

/** A name in the form of a SOCKS5 request, whatever it looks like. */
export function name5(name: string, port: number): Uint8Array {
  const encoded = bytes(name);
  return bytes(3, encoded.length, encoded, portBytes(port));
}

/** A SOCKS5 request. */
export function request5(command: number, host: string, port: number): Uint8Array {
  return bytes(5, command, 0, socks5Address(host, port));
}

/** A SOCKS4 request; with `name` a SOCKS4a one. */
export function request4(command: number, host: string, port: number, userId = "", name?: string): Uint8Array {
  return bytes(4, command, portBytes(port), ipv4Bytes(host), userId, 0, ...(name === undefined ? [] : [name, 0]));
}

/** A username/password message (RFC 1929). */
export function password(user: Part, secret: Part): Uint8Array {
  const [name, word] = [bytes(user), bytes(secret)];
  return bytes(1, name.length, name, word.length, word);
}

/** A decoded SOCKS5 reply. */
export interface Reply {
  /** The code; 0 is success. */
  readonly code: number;
  /** The address in text form; IPv6 as groups without compression except for `::` and `::1`. */
  readonly host: string;
  /** The port. */
  readonly port: number;
  /** The bytes as they came. */
  readonly raw: Uint8Array;
}

/** Reads one SOCKS5 reply and checks its form. */
export async function readReply(wire: Wire, ms?: number): Promise<Reply> {
  const head = await wire.read(4, ms);
  assertEquals(head[0], 5, `VER of the reply ${hex(head)}`);
  assertEquals(head[2], 0, `RSV of the reply ${hex(head)}`);
  assert(head[3] === 1 || head[3] === 4, `ATYP of the reply ${hex(head)}`);
  const rest = await wire.read(head[3] === 1 ? 6 : 18, ms);
  return {
    code: head[1]!,
    host: addressText(rest.subarray(0, -2)),
    port: rest.at(-2)! << 8 | rest.at(-1)!,
    raw: bytes(head, rest),
  };
}

/** Text of the four or sixteen bytes of an address. */
export function addressText(address: Uint8Array): string {
  if (address.length === 4) return address.join(".");
  if (hex(address) === hex(LOOPBACK6)) return "::1";
  if (address.every((byte) => byte === 0)) return "::";
  return Array.from({ length: 8 }, (_, i) => (address[2 * i]! << 8 | address[2 * i + 1]!).toString(16)).join(":");
}

/** A decoded SOCKS4 reply. */
export interface Reply4 {
  /** The code; 90 is success. */
  readonly code: number;
  /** The address. */
  readonly host: string;
  /** The port. */
  readonly port: number;
}

/** Reads one SOCKS4 reply and checks its form. */
export async function readReply4(wire: Wire, ms?: number): Promise<Reply4> {
  const data = await wire.read(8, ms);
  assertEquals(data[0], 0, `VN of the reply ${hex(data)}`);
  return { code: data[1]!, host: data.subarray(4).join("."), port: data[2]! << 8 | data[3]! };
}

/** Checks that nothing but the end follows, as FIN. */
export async function assertEnds(wire: Wire, ms?: number): Promise<void> {
  const { data, ending } = await wire.readToEnd(ms);
  assertEquals(hex(data), "", "nothing but the end should follow");
  assertEquals(ending, "fin", "the server should close, not reset");
}

/** Connects and negotiates: no authentication, or the given user. */
export async function negotiated(
  to: To,
  options: { readonly from?: string; readonly user?: readonly [string, string] } = {},
): Promise<Wire> {
  const wire = await Wire.connect(to, options.from === undefined ? {} : { from: options.from });
  const method = options.user === undefined ? 0 : 2;
  await wire.send(5, 1, method);
  assertEquals(hex(await wire.read(2)), hex(bytes(5, method)));
  if (options.user !== undefined) {
    await wire.write(password(...options.user));
    assertEquals(hex(await wire.read(2)), "01 00");
  }
  return wire;
}

/** Asks for one command and reads its (first) reply, whatever it is. */
export async function asked(
  to: To,
  command: number,
  host: string,
  port: number,
  options: { readonly from?: string; readonly user?: readonly [string, string]; readonly ms?: number } = {},
): Promise<{ wire: Wire; reply: Reply }> {
  const wire = await negotiated(to, options);
  await wire.write(request5(command, host, port));
  return { wire, reply: await readReply(wire, options.ms) };
}

/** A tunnel: CONNECT that must succeed. */
export async function tunnel(
  to: To,
  host: string,
  port: number,
  options: { readonly from?: string; readonly user?: readonly [string, string] } = {},
): Promise<Wire> {
  const { wire, reply } = await asked(to, CONNECT, host, port, options);
  assertEquals(reply.code, 0, `CONNECT to ${host}:${port}`);
  return wire;
}

/** Checks that a new CONNECT through the server carries bytes both ways. */
export async function assertServes(
  server: To,
  target: { readonly host: string; readonly port: number },
  options: { readonly user?: readonly [string, string] } = {},
): Promise<void> {
  using wire = await tunnel(server, target.host, target.port, options);
  await wire.send("still here");
  assertEquals(new TextDecoder().decode(await wire.read(10)), "still here");
}
