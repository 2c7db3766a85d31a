/**
 * Heads of HTTP/1.1 messages (RFC 9112), read strictly: what two readers might take for different things is refused.
 *
 * @module
 */

import { type Decoder, ProtocolError } from "./decoded.ts";

/** A header or trailer field. */
export interface Field {
  /** Its name as it was written. */
  readonly name: string;
  /** Its value without the white space around it; each character is a byte. */
  readonly value: string;
}

/** The most bytes that a head may have. */
export const MAX_HEAD = 65_536;
/** The most fields that a head may have. */
export const MAX_FIELDS = 100;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const STARTS = {
  request: /^[A-Z][A-Z-]{0,31} [!-~]+ HTTP\/\d\.\d$/,
  response: /^HTTP\/1\.[01] [1-5]\d\d(?: [\t -~\x80-\xff]*)?$/,
};

/** An HTTP message that is refused. */
export function badMessage(what: string): ProtocolError {
  return new ProtocolError("http", `Cannot read an HTTP message: ${what}`);
}

/**
 * Makes a decoder of one head: a start line, fields and an empty line, each ended by CR LF. It looks at each byte once,
 * however they come, and refuses at the first that is wrong.
 *
 * @param start What the first line must be; absent for trailers, which have none.
 * @returns The decoder of the lines without their ends.
 */
export function headDecoder(start?: keyof typeof STARTS): Decoder<readonly string[]> {
  const lines: string[] = [];
  let scanned = 0;
  let lineStart = 0;
  return (bytes) => {
    for (; scanned < bytes.length; scanned++) {
      const byte = bytes[scanned]!;
      const follows = scanned > lineStart && bytes[scanned - 1] === CR;
      if (byte !== LF) {
        if (follows) throw badMessage("found CR without LF");
        checkByte(byte, start === "request" && lines.length === 0);
        continue;
      }
      if (!follows) throw badMessage("found LF without CR");
      if (scanned - 1 === lineStart) {
        if (start !== undefined && lines.length === 0) throw badMessage("found an empty line, expected the first one");
        if (scanned >= MAX_HEAD) throw tooLong();
        return { value: lines, length: scanned + 1 };
      }
      lines.push(textOf(bytes.subarray(lineStart, scanned - 1)));
      if (lines.length === 1 && start !== undefined && !STARTS[start].test(lines[0]!)) {
        throw badMessage(`the first line is none of a ${start}`);
      }
      if (lines.length > MAX_FIELDS + 1) {
        throw tooLong();
      }
      lineStart = scanned + 1;
    }
    if (scanned >= MAX_HEAD) throw tooLong();
    return undefined;
  };
}

function tooLong(): ProtocolError {
  return new ProtocolError("too-long", "Cannot read an HTTP message: its head is too long");
}

function checkByte(byte: number, isRequestLine: boolean): void {
  const isControl = byte < 0x20 && byte !== TAB && byte !== CR || byte === 0x7f;
  if (isControl || isRequestLine && (byte > 0x7f || byte === TAB)) {
    throw badMessage(`found the byte ${byte}`);
  }
}

/**
 * Reads the fields of a head.
 *
 * @param lines Its lines after the first.
 * @throws {ProtocolError} `http` for a line that is no field.
 */
export function parseFields(lines: readonly string[]): Field[] {
  return lines.map((line) => {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    // A fold begins with white space, and white space before the colon is no part of a token.
    if (!TOKEN.test(name)) throw badMessage("a line is no field");
    return { name, value: trimmed(line, colon + 1) };
  });
}

function trimmed(line: string, from: number): string {
  let start = from;
  let end = line.length;
  while (start < end && isSpace(line.charCodeAt(start))) start++;
  while (end > start && isSpace(line.charCodeAt(end - 1))) end--;
  return line.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === TAB;
}

/** The values of all fields of a name, which is in lower case. */
export function valuesOf(fields: readonly Field[], name: string): string[] {
  return fields.filter((field) => field.name.toLowerCase() === name).map(({ value }) => value);
}

/**
 * Writes a head.
 *
 * @param start The first line; absent for trailers.
 * @param fields The fields.
 */
export function encodeHead(start: string | undefined, fields: readonly Field[]): Uint8Array {
  let text = start === undefined ? "" : `${start}\r\n`;
  for (const { name, value } of fields) text += `${name}: ${value}\r\n`;
  return bytesOf(`${text}\r\n`);
}

/** Bytes as text of one character each. */
export function textOf(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

/** The opposite of {@linkcode textOf}. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
