/**
 * What the rules for settings are made of.
 *
 * @module
 */

import { z } from "zod";
import { parseIp } from "../net/address.ts";
import { parseBandwidth, parseByteSize } from "./byte_size.ts";
import { parseDuration } from "./duration.ts";
import { describeFound, describeKind } from "./found.ts";

/** What zod tells of a value that breaks a rule. */
export interface Breach {
  /** The value. */
  readonly input?: unknown;
}

/** Words for a breach. */
export type Words = (breach: Breach) => string;

/** The message for values that are no secret. */
export function expected(what: string): Words {
  return ({ input }) => `found ${describeFound(input)}, expected ${what}`;
}

/** The message for values that are a secret, or may hold one. */
export function expectedSecret(what: string): Words {
  return ({ input }) => `found ${describeKind(input)}, expected ${what}`;
}

/**
 * What a function can read.
 *
 * @param input What is given to it.
 * @param read Reads it. `undefined` is a breach; so is an error, whose message says what was found and expected.
 * @param words What to say of the former.
 */
export function readAs<Input, Output>(
  input: z.ZodType<Input>,
  read: (written: Input) => Output | undefined,
  words: Words,
): z.ZodType<Output, Input> {
  return input.transform((written, context): Output => {
    let message = words({ input: written });
    try {
      const value = read(written);
      if (value !== undefined) return value;
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
      message = error.message;
    }
    context.issues.push({ code: "custom", input: written, message });
    return z.NEVER;
  }) as z.ZodType<Output, Input>;
}

/**
 * Text that a function of the policy can read, left as it is: what throws is a breach.
 *
 * @param read Reads it.
 * @param words What to say of what is no text.
 * @param prefix The beginning of its errors' messages that is to be left out.
 */
export function readableBy(
  read: (text: string) => unknown,
  words: Words,
  prefix?: RegExp,
): z.ZodType<string, string> {
  const check = (text: string): string => {
    try {
      read(text);
    } catch (error) {
      if (prefix === undefined || !(error instanceof RangeError)) throw error;
      throw new RangeError(error.message.replace(prefix, ""));
    }
    return text;
  };
  return readAs(z.string({ error: words }), check, words) as z.ZodType<string, string>;
}

/** A list, of one item at least. */
export function listOf<Item>(
  item: z.ZodType<Item>,
  example: string,
  words: typeof expected = expected,
): z.ZodType<Item[]> {
  return z.array(item, { error: words(`a list such as ${example}`) })
    .min(1, { error: words(`a list of at least one, such as ${example}`) }) as z.ZodType<Item[]>;
}

/** One of some words. */
export function oneOf<Word extends string>(words: readonly Word[]): z.ZodType<Word> {
  const last = words.at(-1)!;
  return z.enum(words as readonly [Word, ...Word[]], {
    error: expected(`${words.slice(0, -1).join(", ")} or ${last}`),
  });
}

/** `true` or `false`. */
export const flag: z.ZodType<boolean> = z.boolean({ error: expected("true or false") });

const durationWords = expected("a duration such as 3, 3s, 2m, 1h or 500ms (at most 576h; 0 means no limit)");
const numberOrText = (words: Words): z.ZodType<number | string> => z.union([z.number(), z.string()], { error: words });

/** A duration; 0 is no limit. */
export const duration: z.ZodType<number> = readAs(numberOrText(durationWords), parseDuration, durationWords);

const timeWords = expected("a duration such as 3, 3s, 2m, 1h or 500ms (at most 576h)");

/** A duration; 0 is no time. */
export const shortDuration: z.ZodType<number> = readAs(numberOrText(timeWords), parseDuration, timeWords);

/** A duration that is longer than nothing. */
export const positiveDuration: z.ZodType<number> = readAs(
  numberOrText(timeWords),
  (written) => parseDuration(written) || undefined,
  timeWords,
);

const countWords = expected("a whole number from 1 on");

/** How many, at least one. */
export const count: z.ZodType<number> = z.number({ error: countWords })
  .refine((number) => Number.isSafeInteger(number) && number >= 1, { error: countWords });

const sizeWords = expected("a size such as 500MB, 10GiB, or bytes as a number");

/** A number of bytes. */
export const byteSize: z.ZodType<number> = readAs(numberOrText(sizeWords), parseByteSize, sizeWords);

const bandwidthWords = expected("a speed such as 500KiB/s, 10MB/s, 100Mbit/s, or bytes a second as a number");

/** A number of bytes a second. */
export const bandwidth: z.ZodType<number> = readAs(numberOrText(bandwidthWords), parseBandwidth, bandwidthWords);

const ipWords = expected("an IP address such as 192.0.2.1 or 2001:db8::1");

/** An IP address, as canonical text. */
export const ipAddress: z.ZodType<string> = readAs(z.string({ error: ipWords }), parseIp, ipWords);

const textWords = expected("text");

/** Text that says something. */
export const text: z.ZodType<string> = z.string({ error: textWords }).min(1, {
  error: expected("text that is not empty"),
});

const pathWords = expected("the path of a file");

/** The path of a file. */
export const path: z.ZodType<string> = z.string({ error: pathWords })
  .refine((path) => path !== "" && !path.includes("\0"), { error: pathWords });
