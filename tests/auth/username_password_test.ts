import { assert, assertEquals, assertRejects } from "@std/assert";
import { test } from "node:test";
import type { Authenticate, PasswordCredentials } from "../../src/auth/authenticate.ts";
import type { ClientInfo } from "../../src/auth/client_info.ts";
import { AuthenticationError } from "../../src/auth/method.ts";
import { usernamePassword } from "../../src/auth/username_password.ts";
import { ProtocolError } from "../../src/protocol/decoded.ts";
import { encodeLogin } from "../../src/protocol/username_password.ts";
import { Channel } from "../../src/stream/channel.ts";
import { pipe } from "../server/_pipe.ts";

const CLIENT = { id: 7 } as Partial<ClientInfo> as ClientInfo;
const ADA = { username: new TextEncoder().encode("ada"), password: new TextEncoder().encode("pw") };

async function login(authenticate: Authenticate, bytes: Uint8Array = encodeLogin(ADA)) {
  const [far, near] = pipe();
  await far.write(bytes);
  const negotiating = usernamePassword(authenticate).negotiate(new Channel(near), CLIENT);
  negotiating.catch(() => {});
  return { negotiating, answer: () => far.read() };
}

test("a user is let in with 01 00", async () => {
  const seen: unknown[] = [];
  const { negotiating, answer } = await login((credentials, client) => {
    seen.push(credentials, client);
    return { name: "Ada" };
  });
  assertEquals(await negotiating, { user: { name: "Ada" } });
  assertEquals(await answer(), Uint8Array.of(1, 0));
  assertEquals(seen, [{ method: "password", username: "ada", password: "pw", bytes: ADA }, CLIENT]);
});

test("whoever is not known is told a status other than 0", async () => {
  for (const authenticate of [() => undefined, () => Promise.resolve(undefined)]) {
    const { negotiating, answer } = await login(authenticate);
    await assertRejects(() => negotiating, AuthenticationError);
    const status = await answer();
    assertEquals([status!.length, status![0]], [2, 1]);
    assert(status![1] !== 0);
  }
});

test("a check that fails lets nobody in, and keeps its error as the cause", async () => {
  const cause = new Error("no database");
  const failing: Authenticate[] = [
    () => {
      throw cause;
    },
    () => Promise.reject(cause),
  ];
  for (const authenticate of failing) {
    const { negotiating, answer } = await login(authenticate);
    const error = await assertRejects(() => negotiating, AuthenticationError);
    assertEquals(error.cause, cause);
    assertEquals([error.message, error.isUnchecked], ['Cannot log in as "ada": the check failed', true]);
    assert((await answer())![1] !== 0);
  }
});

test("a check in plain JavaScript that says null or false lets nobody in", async () => {
  for (const nobody of [null, false, 0, ""]) {
    for (const verdict of [nobody, Promise.resolve(nobody)]) {
      const { negotiating, answer } = await login(() => verdict as never);
      await assertRejects(() => negotiating, AuthenticationError);
      assert((await answer())![1] !== 0, `${nobody}`);
    }
  }
});

test("the message quotes the name escaped and never the password", async () => {
  const bytes = encodeLogin({
    username: new TextEncoder().encode('a"\r\n\u001b'),
    password: new TextEncoder().encode("sesame"),
  });
  const { negotiating } = await login(() => undefined, bytes);
  const { message } = await assertRejects(() => negotiating, AuthenticationError);
  assertEquals(message.includes("sesame"), false);
  // deno-lint-ignore no-control-regex
  assertEquals(/[\u0000-\u001f]/.test(message), false);
});

test("names that are not UTF-8 can be told apart by their bytes", async () => {
  const seen: PasswordCredentials[] = [];
  for (const byte of [0xfe, 0xff]) {
    const bytes = encodeLogin({ username: Uint8Array.of(byte), password: Uint8Array.of(byte) });
    const { negotiating } = await login((credentials) => {
      if (credentials.method === "password") seen.push(credentials);
      return undefined;
    }, bytes);
    await negotiating.catch(() => {});
  }
  assertEquals(seen.map(({ bytes }) => bytes.username[0]), [0xfe, 0xff]);
});

test("a login of another version is refused before anybody is asked", async () => {
  let asked = false;
  const { negotiating } = await login(() => void (asked = true), Uint8Array.of(5, 1, 97, 1, 97));
  await assertRejects(() => negotiating, ProtocolError);
  assertEquals(asked, false);
});
