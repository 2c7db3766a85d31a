/** One test case of a JUnit report. */
export interface TestCase {
  /** Its name, with the names of the suites around it. */
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** Why it failed or was skipped, as far as the report says so. */
  readonly detail: string;
}

/** Reads the cases of one test file out of the JUnit report that Deno, Bun or Node wrote about it. */
export function readJunit(xml: string): TestCase[] {
  const suites: string[] = [];
  const cases: { name: string; outcome: TestCase["outcome"]; detail: string }[] = [];
  for (const [, close, tag, attributes = "", empty] of xml.matchAll(TAG)) {
    if (tag === "testsuite" && close) suites.pop();
    else if (tag === "testsuite" && !empty) suites.push(attribute(attributes, "name"));
    else if (tag === "testcase" && !close) {
      // Bun and Deno call the outermost suite after a file, which says nothing here.
      const path = [...suites.filter((name) => !isFile(name)), attribute(attributes, "name")];
      cases.push({ name: path.join(" > "), outcome: "passed", detail: "" });
    } else if ((tag === "failure" || tag === "error") && !close) {
      Object.assign(cases.at(-1) ?? {}, { outcome: "failed", detail: attribute(attributes, "message") });
    } else if (tag === "skipped" && !close) {
      Object.assign(cases.at(-1) ?? {}, { outcome: "skipped", detail: attribute(attributes, "message") });
    }
  }
  return cases.filter((test) => !isCoveredByChildren(test, cases));
}

const TAG = /<(\/?)(testsuite|testcase|failure|error|skipped)\b((?:[^>"]|"[^"]*")*?)(\/?)>/g;

function isFile(name: string): boolean {
  return /\.[jt]s$/.test(name);
}

/** Deno reports a group beside its cases: it counts only if it failed for a reason of its own. */
function isCoveredByChildren(test: TestCase, cases: readonly TestCase[]): boolean {
  const children = cases.filter(({ name }) => name.startsWith(`${test.name} > `));
  return children.length > 0 &&
    (test.outcome !== "failed" || children.some(({ outcome }) => outcome === "failed"));
}

function attribute(attributes: string, name: string): string {
  const value = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
  return value
    .replaceAll(/&#(\d+);/g, (_match, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&");
}
