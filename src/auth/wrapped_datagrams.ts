/**
 * The datagrams of a client whose method puts something around them.
 *
 * @module
 */

import type { IpAddress } from "../net/address.ts";
import type { Connection, DatagramOptions, DatagramSocket } from "../runtime/runtime.ts";
import { Encapsulated } from "./encapsulated.ts";
import type { DatagramCodec } from "./method.ts";

type OnDatagram = DatagramOptions["onDatagram"];

/** What is around the datagrams of an association that a connection holds. */
export function codecOf(connection: Connection): DatagramCodec | undefined {
  return connection instanceof Encapsulated ? connection.datagrams : undefined;
}

/**
 * Takes datagrams out of what is around them. What does not come out is dropped.
 *
 * @param take Who wants them.
 * @param codec What is around them.
 * @param from The only address they may come from, if that is known: of others nothing is unwrapped.
 */
export function unwrapping(take: OnDatagram, codec: DatagramCodec, from: IpAddress | undefined): OnDatagram {
  return (bytes, ip, port) => {
    if (from !== undefined && ip !== from) return;
    const datagram = codec.unwrap(bytes);
    if (datagram !== undefined) take(datagram, ip, port);
  };
}

/** A socket that puts it around what is sent. */
export function wrapped(socket: DatagramSocket, codec: DatagramCodec): DatagramSocket {
  return {
    address: socket.address,
    send: (bytes, ip, port) => socket.send(codec.wrap(bytes), ip, port),
    close: () => socket.close(),
  };
}
