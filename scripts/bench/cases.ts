/** The name of a case. */
export type CaseName = "throughput" | "connect" | "latency" | "udp" | "idle";

/** What a case measures. The headline figure is always one of which less is better. */
export interface Case {
  readonly name: CaseName;
  readonly title: string;
  /** The unit of the headline figure. */
  readonly unit: string;
  /** Whether each measurement needs a server that was just started. */
  readonly fresh: boolean;
  /** Whether a server must relay UDP. */
  readonly udp: boolean;
}

/** The cases, in the order in which they run: the one that needs fresh servers comes last, the others share theirs. */
export const CASES: readonly Case[] = [
  {
    name: "throughput",
    title: "CPU per gigabyte: 8 streams down",
    unit: "CPU-s/GB",
    fresh: false,
    udp: false,
  },
  {
    name: "connect",
    title: "CPU per connection: connect, 64 bytes and back, close; 32 at a time",
    unit: "CPU-µs",
    fresh: false,
    udp: false,
  },
  {
    name: "latency",
    title: "Added latency: 64 bytes and back on one tunnel, p50, less the same without a server",
    unit: "µs",
    fresh: false,
    udp: false,
  },
  {
    name: "udp",
    title: "CPU per relayed UDP packet: 64 bytes, 32 on their way",
    unit: "CPU-µs",
    fresh: false,
    udp: true,
  },
  {
    name: "idle",
    title: "Memory per idle tunnel (PSS)",
    unit: "KiB",
    fresh: true,
    udp: false,
  },
];
