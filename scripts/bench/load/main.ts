/**
 * The load generator, a process of its own: takes a job as JSON on the command line, prints what it found as JSON.
 *
 * @module
 */
import { connect } from "./connect.ts";
import { idle } from "./idle.ts";
import type { Finding, Job } from "./job.ts";
import { latency } from "./latency.ts";
import { throughput } from "./throughput.ts";
import { udp } from "./udp.ts";

const CASES: Record<Job["name"], (job: Job) => Promise<Finding>> = { throughput, connect, idle, latency, udp };

async function main(): Promise<never> {
  const job: Job = JSON.parse(Deno.args[0]!);
  setTimeout(() => {
    console.error(`Gave up after ${job.limitSeconds} s`);
    Deno.exit(1);
  }, job.limitSeconds * 1000);
  const finding = await CASES[job.name](job);
  console.log(JSON.stringify(finding));
  // What is still open ends with the process.
  Deno.exit(0);
}

if (import.meta.main) await main();
