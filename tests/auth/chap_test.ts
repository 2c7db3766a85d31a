import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import type { Authenticate } from "../../src/auth/authenticate.ts";
import { chap } from "../../src/auth/chap.ts";
import type { ClientInfo } from "../../src/auth/client_info.ts";
import { hmacMd5 } from "../../src/auth/hmac_md5.ts";
import { AuthenticationError } from "../../src/auth/method.ts";
import { userList } from "../../src/auth/user_list.ts";
import { guardedLogin } from "../../src/policy/guarded_login.ts";
import { ChapAttribute, type ChapValue, decodeChap, encodeChap, MAX_CHAP } from "../../src/protocol/chap.ts";
import { ProtocolError } from "../../src/protocol/decoded.ts";
import { Channel } from "../../src/stream/channel.ts";
import { pipe } from "../server/_pipe.ts";

const { STATUS, TEXT_MESSAGE, USER_IDENTITY, CHALLENGE, RESPONSE, CHARSET, IDENTIFIER, ALGORITHMS } = ChapAttribute;
const CLIENT = { id: 7, signal: new AbortController().signal } as Partial<ClientInfo> as ClientInfo;
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const HMAC_MD5 = { type: ALGORITHMS, value: Uint8Array.of(0x85) };
const ADA = { type: USER_IDENTITY, value: ascii("ada") };
const USERS = userList([
  { name: "ada", chapSecret: "lovelace", groups: ["staff"] },
  { name: "alan", password: "turing" },
]);

/** A talk with the method, from the client's side. */
class Talk {
  readonly negotiating: Promise<unknown>;
  readonly #far = pipe();
  readonly #channel = new Channel(this.#far[0]);

  constructor(authenticate: Authenticate = USERS) {
    this.negotiating = chap(authenticate).negotiate(new Channel(this.#far[1]), CLIENT);
    this.negotiating.catch(() => {});
  }

  async say(...attributes: readonly ChapValue[]): Promise<void> {
    await this.#channel.write(encodeChap(attributes));
  }

  async write(...bytes: readonly number[]): Promise<void> {
    await this.#channel.write(Uint8Array.from(bytes));
  }

  hear(): Promise<readonly ChapValue[]> {
    return this.#channel.read(decodeChap, MAX_CHAP);
  }

  end(): void {
    this.#far[0].closeWrite();
  }

  reset(): void {
    this.#far[0].close(new Error("The test resets"));
  }

  /** Offers, and gives the challenge that comes back. */
  async challenge(...more: readonly ChapValue[]): Promise<Uint8Array> {
    await this.say(HMAC_MD5, ...more);
    const [algorithm, challenge, ...rest] = await this.hear();
    assertEquals([algorithm, challenge!.type, rest], [HMAC_MD5, CHALLENGE, []]);
    return challenge!.value;
  }

  async refused(message: RegExp): Promise<void> {
    const error = await assertRejects(() => this.negotiating, AuthenticationError);
    assert(message.test(error.message), error.message);
    const [status, ...rest] = await this.hear();
    assertEquals([status!.type, rest], [STATUS, []]);
    assertNotEquals(status!.value, Uint8Array.of(0));
  }
}

async function response(secret: string, challenge: Uint8Array): Promise<ChapValue> {
  return { type: RESPONSE, value: await hmacMd5(ascii(secret), challenge) };
}

test("who knows the secret is let in, as PuTTY says it: algorithms and user together", async () => {
  const talk = new Talk();
  const challenge = await talk.challenge(ADA);
  await talk.say(await response("lovelace", challenge));
  assertEquals(await talk.negotiating, { user: { name: "ada", groups: ["staff"] } });
  assertEquals(await talk.hear(), [{ type: STATUS, value: Uint8Array.of(0) }]);
});

test("algorithms, user and response may come in turn, in any order that makes sense", async () => {
  for (const order of ["user first", "user after", "user with the response"]) {
    const talk = new Talk();
    if (order === "user first") await talk.say(ADA);
    const challenge = await talk.challenge();
    if (order === "user after") await talk.say(ADA);
    const answer = await response("lovelace", challenge);
    if (order === "user with the response") await talk.say(answer, ADA);
    else await talk.say(answer);
    assertEquals(await talk.negotiating, { user: { name: "ada", groups: ["staff"] } }, order);
  }
});

test("other algorithms beside it, texts and unknown attributes change nothing", async () => {
  const talk = new Talk();
  await talk.say(
    { type: ALGORITHMS, value: Uint8Array.of(5, 0x85, 7) },
    { type: CHARSET, value: ascii("UTF-8") },
    { type: TEXT_MESSAGE, value: ascii("hello") },
    { type: IDENTIFIER, value: Uint8Array.of(1) },
    { type: 0x7f, value: new Uint8Array(255) },
    ADA,
  );
  const [algorithm, challenge] = await talk.hear();
  assertEquals(algorithm, HMAC_MD5);
  await talk.say(await response("lovelace", challenge!.value));
  assertEquals(await talk.negotiating, { user: { name: "ada", groups: ["staff"] } });
});

test("a client that asks is shown that the server knows the secret, and says whether it is content", async () => {
  const own = crypto.getRandomValues(new Uint8Array(20));
  for (const order of ["with the response", "before it"]) {
    const talk = new Talk();
    const returned = { type: CHALLENGE, value: own };
    const challenge = await talk.challenge(ADA, ...order === "before it" ? [returned] : []);
    const answer = await response("lovelace", challenge);
    await talk.say(...order === "before it" ? [answer] : [answer, returned]);
    assertEquals(
      await talk.hear(),
      [{ type: STATUS, value: Uint8Array.of(0) }, await response("lovelace", own)],
      order,
    );
    await talk.say({ type: STATUS, value: Uint8Array.of(0) });
    assertEquals(await talk.negotiating, { user: { name: "ada", groups: ["staff"] } });
  }
});

test("a client that is not content, or does not say, is not served", async () => {
  for (const last of [[{ type: STATUS, value: Uint8Array.of(1) }], [], [{ type: STATUS, value: new Uint8Array(0) }]]) {
    const talk = new Talk();
    const challenge = await talk.challenge(ADA, { type: STATUS, value: Uint8Array.of(0) }); // too early to count
    await talk.say(await response("lovelace", challenge), { type: CHALLENGE, value: Uint8Array.of(1) });
    await talk.hear();
    await talk.say(...last);
    await talk.refused(/^Cannot log in as "ada": it (?:gave up|does not say whether it trusts this server)$/);
  }
});

test("a wrong secret, an unknown user and one without a secret are refused alike, and shown nothing", async () => {
  const own = { type: CHALLENGE, value: Uint8Array.of(1, 2, 3) };
  for (const [name, secret] of [["ada", "babbage"], ["eve", "lovelace"], ["alan", "turing"], ["", ""]]) {
    const talk = new Talk();
    const challenge = await talk.challenge({ type: USER_IDENTITY, value: ascii(name!) });
    assertEquals(challenge.length, 32);
    await talk.say(await response(secret!, challenge), own);
    await talk.refused(new RegExp(`^Cannot log in as "${name}": unknown user or wrong secret$`));
  }
});

test("a response that is cut, too long or empty is wrong", async () => {
  for (const length of [0, 1, 15, 17, 255]) {
    const talk = new Talk();
    const { value } = await response("lovelace", await talk.challenge(ADA));
    const other = new Uint8Array(length);
    other.set(value.subarray(0, length));
    await talk.say({ type: RESPONSE, value: other });
    await talk.refused(/wrong secret/);
  }
});

test("no challenge comes twice, and an answer to another one is wrong", async () => {
  const first = new Talk();
  const old = await first.challenge(ADA);
  const answer = await response("lovelace", old);
  await first.say(answer);
  await first.negotiating;
  const replaying = new Talk();
  assertNotEquals(await replaying.challenge(ADA), old);
  await replaying.say(answer);
  await replaying.refused(/wrong secret/);
});

test("an algorithm that is not HMAC-MD5 is refused, and so is none", async () => {
  for (const value of [[], [5], [1, 2, 3]]) {
    const talk = new Talk();
    await talk.say({ type: ALGORITHMS, value: Uint8Array.from(value) }, ADA);
    await talk.refused(/^Cannot log in as "ada": it does not offer HMAC-MD5$/);
  }
});

test("what comes out of turn or twice is refused", async () => {
  const some = { type: RESPONSE, value: new Uint8Array(16) };
  const before: [readonly ChapValue[], RegExp][] = [
    [[HMAC_MD5, ADA, some], /it responds to nothing/],
    [[some], /^Cannot log in by CHAP: it responds to nothing$/],
    [[HMAC_MD5, HMAC_MD5], /its algorithms twice/],
    [[ADA, ADA], /who it is twice/],
    [[ADA, { type: STATUS, value: Uint8Array.of(0xff) }], /it gave up/],
  ];
  for (const [attributes, message] of before) {
    const talk = new Talk();
    await talk.say(...attributes);
    await talk.refused(message);
  }
  const after: [readonly ChapValue[], RegExp][] = [
    [[HMAC_MD5], /it offers algorithms when one has been chosen/],
    [[{ type: USER_IDENTITY, value: ascii("alan") }], /^Cannot log in as "ada": it says who it is twice$/],
    [[some, some], /a response twice/],
    [[{ type: CHALLENGE, value: new Uint8Array(1) }, { type: CHALLENGE, value: new Uint8Array(2) }], /challenge twice/],
  ];
  for (const [attributes, message] of after) {
    const talk = new Talk();
    await talk.challenge(ADA);
    await talk.say(...attributes);
    await talk.refused(message);
  }
  const anonymous = new Talk();
  await anonymous.say(await response("lovelace", await anonymous.challenge()));
  await anonymous.refused(/^Cannot log in by CHAP: it does not say who it is$/);
});

test("a client that talks without end is cut short", async () => {
  const talk = new Talk();
  for (let i = 0; i < 8; i++) await talk.say();
  await talk.refused(/it does not come to an answer/);
});

test("too many attributes and another version are refused before anybody is asked", async () => {
  for (const bytes of [[1, 17], [1, 255], [5, 1], [0, 0]]) {
    let asked = false;
    const talk = new Talk(() => void (asked = true));
    await talk.write(...bytes);
    await assertRejects(() => talk.negotiating, ProtocolError);
    assertEquals([asked, (await talk.hear())[0]!.type], [false, STATUS]);
  }
});

test("a client that leaves in the middle is waited for no longer", async () => {
  const talk = new Talk();
  await talk.challenge(ADA);
  await talk.write(1, 1, RESPONSE, 16, 1, 2, 3);
  talk.end();
  await assertRejects(() => talk.negotiating, Error, "closed");
});

test("a wrong secret is one, also of a client that does not wait for the answer", async () => {
  let asked = (): void => {};
  const asking = new Promise<void>((resolve) => asked = resolve);
  let decide = (): void => {};
  const deciding = new Promise<void>((resolve) => decide = resolve);
  const talk = new Talk(async () => {
    asked();
    await deciding;
    return undefined;
  });
  await talk.say(await response("babbage", await talk.challenge(ADA)));
  await asking;
  talk.reset();
  decide();
  await assertRejects(() => talk.negotiating, AuthenticationError, "unknown user or wrong secret");
});

test("a check of one's own that never looks at the proof lets nobody in", async () => {
  for (const authenticate of [() => ({ name: "ada" }), () => Promise.resolve({ name: "ada" })]) {
    const talk = new Talk(authenticate);
    await talk.say(await response("lovelace", await talk.challenge(ADA)));
    await talk.refused(/wrong secret/);
  }
  const lax = new Talk(async (credentials) => {
    if (credentials.method === "chap") await credentials.matches("another");
    return { name: "ada" };
  });
  await lax.say(await response("lovelace", await lax.challenge(ADA)));
  await lax.refused(/wrong secret/);
});

test("a check of one's own may keep secrets as it likes, and one that fails lets nobody in", async () => {
  const own: Authenticate = async (credentials) =>
    credentials.method === "chap" && await credentials.matches(ascii("of my own")) ? { name: "Ada" } : undefined;
  const talk = new Talk(own);
  await talk.say(await response("of my own", await talk.challenge(ADA)));
  assertEquals(await talk.negotiating, { user: { name: "Ada" } });
  const cause = new Error("no database");
  const failing = new Talk(() => Promise.reject(cause));
  await failing.say(await response("lovelace", await failing.challenge(ADA)));
  await failing.refused(/: the check failed$/);
  assertEquals((await assertRejects(() => failing.negotiating, AuthenticationError)).cause, cause);
});

test("the guard of logins counts wrong secrets, and is asked before each", async () => {
  const told: string[] = [];
  const refusals: string[] = [];
  const guard = {
    mayTry: () => refusals[0],
    failed: () => (told.push("failed"), 0),
    succeeded: () => void told.push("succeeded"),
  };
  const guarded = guardedLogin(USERS, guard);
  for (const secret of ["babbage", "lovelace"]) {
    const talk = new Talk(guarded);
    await talk.say(await response(secret, await talk.challenge(ADA)));
    await talk.negotiating.catch(() => {});
  }
  assertEquals(told, ["failed", "succeeded"]);
  refusals.push("too many failed logins");
  const talk = new Talk(guarded);
  await talk.say(await response("lovelace", await talk.challenge(ADA)));
  await talk.refused(/^Cannot log in as "ada": too many failed logins$/);
});

test("whatever is sent, nobody is let in by it", async () => {
  const attribute = fc.record({
    type: fc.constantFrom(STATUS, USER_IDENTITY, CHALLENGE, RESPONSE, IDENTIFIER, ALGORITHMS, 0x42),
    value: fc.oneof(fc.constantFrom(ADA.value, HMAC_MD5.value, new Uint8Array(16)), fc.uint8Array({ maxLength: 20 })),
  });
  const message = fc.oneof(fc.array(attribute, { maxLength: 5 }).map(encodeChap), fc.uint8Array({ maxLength: 30 }));
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 6 }), async (messages) => {
      const [far, near] = pipe();
      const negotiating = chap(USERS).negotiate(new Channel(near), CLIENT);
      negotiating.catch(() => {});
      for (const bytes of messages) if (bytes.length > 0) await far.write(bytes);
      far.closeWrite();
      await assertRejects(() => negotiating);
    }),
    { numRuns: 60 },
  );
});
