/** The node:net adapter where sockets cannot read into our buffers. */

import { nodeRuntime } from "../../src/runtime/node_runtime.ts";
import { connectionSuite } from "./_connection_suite.ts";
import { relaySuite } from "./_relay_suite.ts";

const runtime = nodeRuntime({ name: "node:net by events", onread: false });
connectionSuite(runtime);
relaySuite(runtime);
