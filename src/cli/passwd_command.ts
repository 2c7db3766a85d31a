/**
 * The flags of `socks-server passwd` and what its help says.
 *
 * @module
 */

import { Command } from "commander";

/** What was given on the command line. */
export interface PasswdArguments {
  /** The user's name, if it was given. */
  readonly name: string | undefined;
  /** The user's groups; `undefined` leaves those that it has. */
  readonly groups: readonly string[] | undefined;
  /** The users file to change; without it the entry is printed. */
  readonly file: string | undefined;
}

const EPILOGUE = `
Examples:
  Add a user to a users file, or change the password:
    $ socks-server passwd ada --file users.txt --groups staff,night

  Print the entry:
    $ socks-server passwd ada
    ada:$argon2id$v=19$m=19456,t=2,p=1$…

  Let a program say the password, on one line:
    $ pass show proxy/ada | socks-server passwd ada --file users.txt

Exit codes:
  0    done
  1    the file cannot be read or written
  2    a mistake in the flags, the name, the password or the file
  130  called off with Ctrl+C`;

/**
 * Makes the command that makes users.
 *
 * @param action What it does.
 */
export function passwdCommand(action: (given: PasswdArguments) => Promise<void>): Command {
  const command = new Command("passwd")
    .description("Makes an entry of a users file. It asks for the password and never shows it.")
    .argument("[name]", "the user's name")
    .option("--file <FILE>", "put the entry into this users file, in the place of the user's former one")
    .option("--groups <GROUP,GROUP>", 'the user\'s groups; "" for none (default: those that the file says)')
    .helpOption("-h, --help", "print this help")
    .addHelpText("after", EPILOGUE);
  return command.action(async (name: string | undefined, given: { file?: string; groups?: string }) => {
    const groups = given.groups?.split(",").map((group) => group.trim()).filter((group) => group !== "");
    await action({ name, groups, file: given.file });
  });
}
