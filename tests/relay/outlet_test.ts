import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { type Target, targetOf } from "../../src/protocol/address.ts";
import { encodeDatagramHeader } from "../../src/protocol/udp.ts";
import { Outlet, type OutletOptions, type OutletTunnel } from "../../src/relay/outlet.ts";
import { hex, settle } from "../server/_harness.ts";

const DNS = targetOf("8.8.8.8", 53), OTHER = targetOf("9.9.9.9", 53), NAME = targetOf("dns.example", 53);
const bytes = (text: string) => new TextEncoder().encode(text);

/** An outlet whose tunnels the test opens and ends. */
function make(options: Partial<OutletOptions> = {}) {
  const sent: string[] = [], answers: string[] = [], asked: string[] = [];
  const opened: { receive: (text: string, source: Target) => void; end(): void; isClosed: boolean }[] = [];
  const clock = { now: 0 };
  let fate: Promise<void> = Promise.resolve();
  const outlet = new Outlet({
    maxSenders: 8,
    now: () => clock.now,
    answer: (header, data) => answers.push(`${hex(header)}: ${new TextDecoder().decode(data)}`),
    mayAnswer: (sender) => {
      asked.push(sender.host);
      return Promise.resolve(sender.host === "1.1.1.1");
    },
    async open(onDatagram): Promise<OutletTunnel> {
      await fate;
      let end = (): void => {};
      const closed = new Promise<void>((resolve) => end = resolve);
      const state = {
        receive: (text: string, source: Target) => onDatagram(bytes(text), source),
        end,
        isClosed: false,
      };
      opened.push(state);
      return {
        send: (data, { host, port }) => sent.push(`${new TextDecoder().decode(data)} to ${host}:${port}`),
        closed,
        close() {
          state.isClosed = true;
          end();
        },
      };
    },
    ...options,
  });
  return { outlet, sent, answers, asked, opened, clock, opens: (when: Promise<void>) => fate = when };
}

const from = ({ host, port }: Target, text: string) => `${hex(encodeDatagramHeader(targetOf(host, port)))}: ${text}`;

test("it is opened when the first datagram is sent, and once", async () => {
  const { outlet, opened, sent } = make();
  const [dns, name] = [outlet.to(DNS), outlet.to(NAME)];
  await settle();
  assertEquals(opened.length, 0);
  dns.send(bytes("a"));
  name.send(bytes("b"));
  await settle();
  dns.send(bytes("c"));
  assertEquals([opened.length, sent], [1, ["a to 8.8.8.8:53", "b to dns.example:53", "c to 8.8.8.8:53"]]);
  outlet.close();
});

test("a bounded number of datagrams waits for the opening", async () => {
  const { outlet, sent } = make();
  const dns = outlet.to(DNS);
  for (let i = 0; i < 100; i++) dns.send(bytes(`${i}`));
  await settle();
  assertEquals(sent, Array.from({ length: 16 }, (_, i) => `${i} to 8.8.8.8:53`));
  outlet.close();
});

test("those that the client sent to may answer, others if the rules allow it", async () => {
  const { outlet, opened, answers, asked } = make();
  outlet.to(DNS).send(bytes("a"));
  await settle();
  const { receive } = opened[0]!;
  const again = targetOf("8.8.8.8", 53);
  for (const source of [DNS, again, again]) receive("known", source);
  receive("another port", targetOf("8.8.8.8", 54));
  receive("stranger", OTHER);
  receive("allowed", targetOf("1.1.1.1", 9));
  receive("a name", NAME);
  await settle();
  assertEquals(answers, [...Array(3).fill(from(DNS, "known")), from(targetOf("1.1.1.1", 9), "allowed")]);
  assertEquals(asked, ["8.8.8.8", "9.9.9.9", "1.1.1.1"]);
  outlet.close();
});

test("what comes from the port that a name was sent to is its answer, from whatever address", async () => {
  const { outlet, opened, answers, asked } = make();
  outlet.to(NAME).send(bytes("a"));
  await settle();
  const { receive } = opened[0]!;
  receive("by address", OTHER);
  receive("by name", targetOf("dns.example", 53));
  receive("another port", targetOf("9.9.9.9", 54));
  await settle();
  assertEquals(answers, [from(OTHER, "by address"), from(NAME, "by name")]);
  assertEquals(asked, ["9.9.9.9"]);
  outlet.close();
});

test("what was forgotten must be sent to again before it may answer", async () => {
  const { outlet, opened, answers } = make();
  for (const target of [DNS, NAME]) outlet.to(target).send(bytes("a"));
  await settle();
  const { receive } = opened[0]!;
  receive("before", DNS);
  outlet.forget();
  receive("after", DNS);
  receive("after", OTHER);
  await settle();
  outlet.to(DNS);
  receive("again", DNS);
  assertEquals(answers, [from(DNS, "before"), from(DNS, "again")]);
  outlet.close();
});

test("senders are remembered up to a bound", async () => {
  const { outlet, opened, asked } = make({ maxSenders: 2 });
  for (const host of ["8.0.0.1", "8.0.0.2", "8.0.0.3"]) outlet.to(targetOf(host, 53)).send(bytes("a"));
  await settle();
  for (const host of ["8.0.0.1", "8.0.0.2", "8.0.0.3"]) opened[0]!.receive("x", targetOf(host, 53));
  assertEquals(asked, ["8.0.0.1"]);
  outlet.close();
});

test("after it has ended it is opened again, not at once", async () => {
  const { outlet, opened, sent, clock } = make();
  const dns = outlet.to(DNS);
  dns.send(bytes("a"));
  await settle();
  opened[0]!.end();
  await settle();
  dns.send(bytes("b"));
  await settle();
  clock.now = 1_000;
  dns.send(bytes("c"));
  await settle();
  assertEquals([opened.length, sent], [2, ["a to 8.8.8.8:53", "c to 8.8.8.8:53"]]);
  outlet.close();
});

test("where it cannot be opened datagrams are lost, and it is tried again, not at once", async () => {
  const { outlet, opened, sent, clock, opens } = make();
  const dns = outlet.to(DNS);
  opens(Promise.reject(new Error("The test refuses")));
  dns.send(bytes("a"));
  await settle();
  opens(Promise.resolve());
  dns.send(bytes("b"));
  await settle();
  assertEquals(opened.length, 0);
  clock.now = 1_000;
  dns.send(bytes("c"));
  await settle();
  assertEquals([opened.length, sent], [1, ["c to 8.8.8.8:53"]]);
  outlet.close();
});

test("closed, it closes its tunnel, one that is being opened too, and sends nothing", async () => {
  const { outlet, opened, sent } = make();
  const dns = outlet.to(DNS);
  dns.send(bytes("a"));
  outlet.close();
  outlet.close();
  await settle();
  dns.send(bytes("b"));
  await settle();
  assertEquals([opened.map(({ isClosed }) => isClosed), sent], [[true], []]);

  const other = make();
  other.outlet.to(DNS).send(bytes("a"));
  await settle();
  other.outlet.close();
  assertEquals(other.opened[0]!.isClosed, true);
});
