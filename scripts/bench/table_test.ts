import type { Row } from "./run_case.ts";
import { caseTable, formatNumber } from "./table.ts";
import { assertEquals } from "@std/assert";
import { test } from "node:test";

const what = { name: "udp", title: "Title", unit: "µs", fresh: false, udp: true } as const;

function row(id: string, ours: boolean, figures: (number | undefined)[], problems: string[] = []): Row {
  const server = { id, label: id, version: "", ours, udp: true, prepare: () => Promise.resolve([]) };
  return { server, figures, findings: [], problems };
}

test("a table has a column of ratios for each peer", () => {
  const rows = [row("own", true, [1, 2, 2]), row("peer", false, [4, 4, 6], ["1 failed: broken pipe"])];
  assertEquals(
    caseTable({ case: what, rows, incapable: [] }),
    `### Title

| server |   µs |    less than peer |
| ------ | ---: | ----------------: |
| own    | 2.00 | 3.0× (2.0 to 4.0) |
| peer   | 4.00 |                   |

peer: 1 failed: broken pipe`,
  );
});

test("without a peer the first server is what others are compared with", () => {
  const rows = [row("one", true, [10]), row("two", true, [20]), row("three", true, [undefined])];
  assertEquals(
    caseTable({ case: what, rows, incapable: [row("four", false, []).server] }),
    `### Title

| server |   µs | less than one |
| ------ | ---: | ------------: |
| one    | 10.0 |               |
| two    | 20.0 |         0.50× |
| three  |    - |             - |

Without UDP: four.`,
  );
});

test("a figure has three digits that count", () => {
  assertEquals([0.1234, 1.234, 12.34, 123.4, 1234, 0, -3.21, undefined].map(formatNumber), [
    "0.123",
    "1.23",
    "12.3",
    "123",
    "1234",
    "0.000",
    "-3.21",
    "-",
  ]);
});
