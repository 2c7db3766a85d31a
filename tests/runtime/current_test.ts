import { currentRuntime } from "../../src/runtime/detect.ts";
import { connectionSuite } from "./_connection_suite.ts";
import { datagramSuite } from "./_datagram_suite.ts";
import { relaySuite } from "./_relay_suite.ts";
import { systemSuite } from "./_system_suite.ts";

const runtime = await currentRuntime();
connectionSuite(runtime);
relaySuite(runtime);
systemSuite(runtime);
datagramSuite(runtime);
