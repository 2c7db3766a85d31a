/**
 * METHOD 00: no authentication required.
 *
 * @module
 */

import { Method } from "../protocol/constants.ts";
import type { AuthMethod } from "./method.ts";

/** METHOD 00: anyone is served, as nobody in particular. */
export const noAuthentication: AuthMethod = {
  code: Method.NONE,
  name: "none",
  anonymous: true,
  negotiate: () => Promise.resolve({}),
};
