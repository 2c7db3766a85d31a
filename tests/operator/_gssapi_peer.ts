/**
 * Our own client with the tickets of the environment it is started in: datagrams, a peer that comes, bytes both ways.
 * Prints one line of JSON.
 *
 * @module
 */
import process from "node:process";
import { associate, bind, connect } from "../../mod.ts";

const [proxy, echo, datagramEcho] = process.argv.slice(2) as [string, string, string];
const utf8 = new TextDecoder();

async function there(): Promise<boolean> {
  const connection = await connect(echo, { proxy });
  const sent = new Uint8Array(4 * 1024 * 1024).map((_, index) => index * 7 ^ index >> 9);
  const writing = (async () => {
    for (let at = 0; at < sent.length; at += 100_000) await connection.write(sent.subarray(at, at + 100_000));
    connection.closeWrite();
  })();
  let count = 0;
  let isSame = true;
  for (let chunk = await connection.read(); chunk !== null; chunk = await connection.read()) {
    for (const byte of chunk) isSame = sent[count++] === byte && isSame;
  }
  await writing;
  connection.close();
  return isSame && count === sent.length;
}

async function datagrams(): Promise<string[]> {
  const tunnel = await associate({ proxy });
  const came: string[] = [];
  for (const text of ["one", "two", "three"]) await tunnel.send(new TextEncoder().encode(text), datagramEcho);
  for await (const { data } of tunnel) if (came.push(utf8.decode(data)) === 3) break;
  return came.sort();
}

async function binding(): Promise<string> {
  const listening = await bind(undefined, { proxy });
  const { host, port } = listening.address;
  // The peer comes through the proxy, too: it is on the same machine.
  const accepting = listening.accept();
  const peer = await connect({ host, port }, { proxy });
  await peer.write(new TextEncoder().encode("hello"));
  const { connection } = await accepting;
  const came = utf8.decode((await connection.read())!);
  peer.close();
  connection.close();
  return came;
}

console.log(JSON.stringify({ same: await there(), datagrams: await datagrams(), bind: await binding() }));
