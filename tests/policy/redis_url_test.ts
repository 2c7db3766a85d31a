import { assert, assertEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { parseRedisUrl } from "../../src/policy/redis_url.ts";

const EXPECTED = "expected redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:// for TLS";

test("a URL is shown without user and password", () => {
  const shown = (text: string) => parseRedisUrl(text).shown;
  assertEquals(shown("redis://localhost"), "redis://localhost");
  assertEquals(shown("rediss://ada:love%40lace@redis.example:6380/2"), "rediss://redis.example:6380/2");
  assertEquals(shown("redis://:secret@[::1]:6379/"), "redis://[::1]:6379");
  assertEquals(parseRedisUrl("redis://ada:love%40lace@h").password, "love@lace");
  assertEquals(parseRedisUrl("redis://h").password, undefined);
});

test("what is not the URL of a Redis server is refused, without its password", () => {
  const cases: [text: string, found: string][] = [
    ["", "what is not a URL"],
    ["localhost", "what is not a URL"],
    ["redis://ada:se cret@:x", "what is not a URL"],
    ["http://ada:secret@host", "http://"],
    ["localhost:6379", "localhost://"],
    ["redis://", "no host"],
    ["redis://:secret@host/two", 'database "two"'],
    ["redis://:secret@host/1/2", 'database "1/2"'],
    ["redis://:secret@host/1?x=1", "more after the database"],
    ["redis://:secret%@host", '"%" in user or password that begins no %XX'],
  ];
  for (const [text, found] of cases) {
    const { message } = assertThrows(() => parseRedisUrl(text), RangeError);
    assertEquals(message, `found ${found}, ${EXPECTED}`);
    assert(!/se ?cret/.test(message));
  }
});
