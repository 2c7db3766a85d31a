/**
 * The adapter for Node.
 *
 * @module
 */

import { nodeRuntime } from "./node_runtime.ts";
import type { Runtime } from "./runtime.ts";

/** Node's sockets. */
export const node: Runtime = nodeRuntime({ name: "node" });
