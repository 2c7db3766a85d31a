/**
 * The way into a network namespace: run inside it, listens on a UNIX socket, and connects each client to the address that
 * its first line of JSON names. A UNIX socket has no reset: with `resetAtEnd` the end of a client's stream becomes one.
 *
 * @module
 */
import { connect, createServer } from "node:net";
import process from "node:process";

const server = createServer({ allowHalfOpen: true }, (outside) => {
  let head = new Uint8Array(0);
  outside.on("error", () => {});
  const begin = (chunk: Uint8Array) => {
    head = new Uint8Array([...head, ...chunk]);
    const at = head.indexOf(0x0a);
    if (at < 0) return;
    outside.off("data", begin);
    outside.pause();
    const { resetAtEnd, ...to } = JSON.parse(new TextDecoder().decode(head.subarray(0, at)));
    const inside = connect({ ...to, allowHalfOpen: true });
    inside.setNoDelay(true);
    inside.on("error", () => outside.destroy());
    if (at + 1 < head.length) inside.write(head.subarray(at + 1));
    inside.pipe(outside);
    outside.pipe(inside, { end: !resetAtEnd });
    if (resetAtEnd) outside.on("end", () => inside.resetAndDestroy());
  };
  outside.on("data", begin);
});
server.listen(process.argv[2], () => console.log("open"));
process.stdin.on("end", () => process.exit());
process.stdin.resume();
