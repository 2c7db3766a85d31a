/**
 * Foreign text made safe for a terminal and a log.
 *
 * @module
 */

/**
 * Escapes what a terminal would act upon or nobody would see: control and format characters, line and paragraph
 * separators, all spaces but the ordinary one, half surrogate pairs. They become `\x1b` or `\u{202e}`.
 *
 * @param text Text from anywhere.
 * @returns Text of letters, digits, marks, punctuation, symbols and spaces.
 */
export function printable(text: string): string {
  return /^[ -~]*$/.test(text) ? text : text.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, escape);
}

/**
 * Escapes text to be one word of a line: as {@linkcode printable}, and spaces and backslashes too, so that two texts
 * never look the same and none looks like two words. Empty text becomes `""`.
 *
 * @param text Text from anywhere.
 * @returns One word.
 */
export function printableWord(text: string): string {
  if (text === "") return '""';
  return /^[!-[\]-~]*$/.test(text) ? text : text.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S}]|\\/gu, escape);
}

function escape(character: string): string {
  if (character === "\\") return "\\\\";
  const code = character.codePointAt(0)!;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}
