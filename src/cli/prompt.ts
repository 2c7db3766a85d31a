/**
 * Questions to whoever started the program.
 *
 * @module
 */

import process from "node:process";
import { LONGEST_LINE, TypedLine } from "./typed_line.ts";

/** Asks whoever started the program, or reads what another program sends. */
export interface Prompt {
  /** Whether a person types the answers. */
  readonly isLive: boolean;
  /**
   * Asks a person; from a program it reads the next line.
   *
   * @param question What a person sees.
   * @param isSecret Whether the answer must not be seen.
   * @returns The line, without its end.
   * @throws {NoAnswer} If there is none.
   */
  ask(question: string, isSecret: boolean): Promise<string>;
  /** Reads no more. */
  close(): void;
}

/** Why there is no answer. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
  /** Whether a person called it off with Ctrl+C. */
  readonly isInterrupt: boolean;

  /**
   * @param message What was found instead.
   * @param isInterrupt Whether it was Ctrl+C.
   */
  constructor(message: string, isInterrupt = false) {
    super(message);
    this.isInterrupt = isInterrupt;
  }
}

/** Where answers are typed: the parts of `process.stdin` and `process.stderr` that a prompt uses. */
export interface PromptStreams {
  /** What is typed, or sent. */
  readonly input: AsyncIterable<Uint8Array | string> & {
    readonly isTTY?: boolean | undefined;
    setRawMode?(isRaw: boolean): unknown;
  };
  /** Where questions go: not where results do, which may be a file. */
  readonly output: { write(text: string): unknown };
}

/**
 * Makes a prompt on standard input and standard error.
 *
 * @param streams Others in their place.
 */
export function openPrompt(streams: PromptStreams = { input: process.stdin, output: process.stderr }): Prompt {
  const { input, output } = streams;
  const isLive = input.isTTY === true;
  const decoder = new TextDecoder();
  const line = new TypedLine();
  let chunks: AsyncIterator<Uint8Array | string> | undefined;
  let rest = "";

  const next = async (): Promise<string | undefined> => {
    chunks ??= input[Symbol.asyncIterator]();
    const { value, done } = await chunks.next();
    if (done === true) return undefined;
    return typeof value === "string" ? value : decoder.decode(value, { stream: true });
  };
  const readLine = async (): Promise<string> => {
    while (!rest.includes("\n")) {
      const chunk = await next();
      if (chunk === undefined && rest === "") throw new NoAnswer("standard input has ended");
      rest += chunk ?? "\n";
      if (rest.length > LONGEST_LINE) throw new NoAnswer("found a line that is too long");
    }
    const end = rest.indexOf("\n");
    const found = rest.slice(0, end).replace(/\r$/, "");
    rest = rest.slice(end + 1);
    return found;
  };
  /** Without echo the terminal edits no lines either: keys come as they are pressed. */
  const readKeys = async (question: string): Promise<string> => {
    line.clear();
    input.setRawMode?.(true);
    try {
      output.write(question);
      let end = line.take("");
      while (end === undefined) {
        const keys = await next();
        end = keys === undefined ? "closed" : line.take(keys);
      }
      if (end === "entered") return line.text;
      throw new NoAnswer(end === "closed" ? "nothing was typed" : "interrupted", end === "interrupted");
    } finally {
      input.setRawMode?.(false);
      output.write("\n");
    }
  };

  return {
    isLive,
    async ask(question, isSecret) {
      if (!isLive) return await readLine();
      if (isSecret) return await readKeys(question);
      output.write(question);
      return await readLine();
    },
    close() {
      chunks?.return?.();
    },
  };
}
