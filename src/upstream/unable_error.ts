import { NetError } from "../net/errors.ts";
import { Reply } from "../protocol/constants.ts";

/** A command that a way out cannot do. */
export class UnableError extends NetError {
  /** REP: command not supported. */
  readonly answer: number = Reply.COMMAND_NOT_SUPPORTED;

  /**
   * Makes an error.
   *
   * @param action What was to be done.
   * @param way The name of the way out.
   */
  constructor(action: string, way: string) {
    super("not-supported", `Cannot ${action}: the way out "${way}" has no means to`);
  }
}
