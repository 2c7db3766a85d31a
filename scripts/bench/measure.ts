import { run } from "../_run.ts";
import type { Finding, Job } from "./load/job.ts";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("./load/main.ts", import.meta.url));

/** Takes one measurement: the load generator is a process of its own, fresh each time. */
export async function measure(job: Job): Promise<Finding> {
  const args = ["run", "-A", "--unstable-net", SCRIPT, JSON.stringify(job)];
  const { code, stdout, output } = await run(Deno.execPath(), args, { timeoutMs: (job.limitSeconds + 10) * 1000 });
  if (code !== 0) {
    throw new Error(output.trim().split("\n").at(-1) || `The load generator ended with exit code ${code}`);
  }
  const finding: Finding = JSON.parse(stdout);
  // What is not a number is null in JSON.
  return Number.isFinite(finding.value) ? finding : { ...finding, value: NaN };
}
