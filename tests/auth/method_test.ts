import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { AuthenticationError, chooseMethod } from "../../src/auth/method.ts";
import { noAuthentication } from "../../src/auth/no_authentication.ts";
import { usernamePassword } from "../../src/auth/username_password.ts";

const password = usernamePassword(() => undefined);

test("the first accepted method that is offered is chosen, in the server's order", () => {
  assertEquals(chooseMethod([password, noAuthentication], [0, 2]), password);
  assertEquals(chooseMethod([noAuthentication, password], [2, 0]), noAuthentication);
  assertEquals(chooseMethod([password], [0, 1, 2]), password);
});

test("only a method that was offered is chosen", () => {
  assertEquals(chooseMethod([password], [0, 1]), undefined);
  assertEquals(chooseMethod([noAuthentication], [2]), undefined);
  assertEquals(chooseMethod([noAuthentication, password], []), undefined);
  assertEquals(chooseMethod([], [0, 2]), undefined);
});

test("an authentication error is one by its name, too", () => {
  const error = new AuthenticationError("no");
  assertEquals([error.name, error instanceof Error], ["AuthenticationError", true]);
});
