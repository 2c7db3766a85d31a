import { readJunit } from "./_junit.ts";
import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";

const outcomes = (xml: string) => readJunit(xml).map(({ name, outcome, detail }) => [name, outcome, detail]);

describe("a JUnit report", () => {
  test("of Node names cases by their suites, and decodes entities", () => {
    assertEquals(
      outcomes(`<?xml version="1.0" encoding="utf-8"?>
<testsuites>
	<testsuite name="outer" time="0.1" tests="2" failures="1">
		<testcase name="a &lt;b> &amp; c" time="0.1" classname="test"/>
		<testsuite name="inner">
			<testcase name="deep" classname="test" failure="x > y">
				<failure type="testCodeFailure" message="x > y">
[Error: &lt;testcase name="no case"&gt;]
				</failure>
			</testcase>
		</testsuite>
	</testsuite>
	<testcase name="later" classname="test">
		<skipped type="skipped" message="no peer"/>
	</testcase>
	<!-- tests 3 -->
</testsuites>`),
      [
        ["outer > a <b> & c", "passed", ""],
        ["outer > inner > deep", "failed", "x > y"],
        ["later", "skipped", "no peer"],
      ],
    );
  });

  test("of Deno counts a group through its cases", () => {
    assertEquals(
      outcomes(`<testsuites name="deno test" tests="4">
    <testsuite name="./tests/a_test.ts" tests="1">
        <testcase name="group" classname="./tests/a_test.ts"><failure message="1 test step failed">1</failure></testcase>
        <testcase name="group &gt; good" classname="x"></testcase>
        <testcase name="group &gt; bad" classname="x"><failure message="Uncaught Error: a&#10;b">Error: a</failure></testcase>
        <testcase name="alone" classname="x"><skipped/></testcase>
    </testsuite>
    <testsuite name="ext:core/01_core.js" tests="1"><testcase name="group &gt; late" classname="x"></testcase></testsuite>
</testsuites>`),
      [
        ["group > good", "passed", ""],
        ["group > bad", "failed", "Uncaught Error: a\nb"],
        ["alone", "skipped", ""],
        ["group > late", "passed", ""],
      ],
    );
  });

  test("of Deno counts a group that fails by itself", () => {
    assertEquals(
      outcomes(`<testsuite name="./a_test.ts">
        <testcase name="group"><failure message="leaks">leaks</failure></testcase>
        <testcase name="group &gt; good"></testcase>
      </testsuite>`),
      [["group", "failed", "leaks"], ["group > good", "passed", ""]],
    );
  });

  test("of Bun drops the file's name", () => {
    assertEquals(
      outcomes(`<testsuites name="bun test" tests="2">
  <testsuite name="tests/a_test.ts" file="tests/a_test.ts" tests="2">
    <testsuite name="group" file="tests/a_test.ts">
      <testcase name="one" classname="group" time="0.001" />
    </testsuite>
    <testsuite name="empty" tests="0" />
    <testcase name="two" classname="" time="0"><skipped message="TODO" /></testcase>
  </testsuite>
</testsuites>`),
      [["group > one", "passed", ""], ["two", "skipped", "TODO"]],
    );
  });

  test("that was cut off or is empty has the cases it has", () => {
    assertEquals(outcomes(""), []);
    assertEquals(outcomes(`<testsuites><testcase name="one"/><testcase na`), [["one", "passed", ""]]);
  });
});
