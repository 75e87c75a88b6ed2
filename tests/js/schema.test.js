// Defaults against their schema, by the module that is loaded for it alone: tests/vectors/schema.json.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { check, package as pack } from "../../bindings-wasm/js/node.js";
import { schema } from "../../bindings-wasm/js/node-schema.js";
import { readJson, temporary } from "./support.js";

const CODES = ["values.schema", "schema.invalid", "schema.remote", "limit.schema"];
const found = (report) =>
  [...report].filter(({ code }) => CODES.includes(code)).map(({ code, document, pointer, line }) => [code, document, pointer, line ?? null]);

/** A chart's directory. */
function written(t, { schema: text, values_yaml: values }) {
  const directory = join(temporary(t), "x");
  mkdirSync(directory);
  writeFileSync(join(directory, "Chart.yaml"), "apiVersion: v2\nname: x\nversion: 1.0.0\n");
  writeFileSync(join(directory, "values.yaml"), values);
  writeFileSync(join(directory, "values.schema.json"), text);
  return directory;
}

for (const { name, why, input, expect } of readJson("tests/vectors/schema.json")) {
  test(`schema: ${name}`, async (t) => {
    const directory = written(t, input);
    const { data } = await pack(directory);
    for (const source of [directory, data]) {
      const got = found(await check(source, undefined, { schema }));
      const wild = got.map((row, index) => row.map((value, at) => (expect[index]?.[at] === "*" ? "*" : value)));
      const placed = wild.map((row, index) => (expect[index]?.[3] === null ? [...row.slice(0, 3), null] : row));
      assert.deepEqual(placed, expect, why);
    }
  });
}

for (const { name, why, input, expect } of readJson("tests/vectors/unjudged.json")) {
  test(`without the module nothing is judged by the schema, and the report says so: ${name}`, async (t) => {
    const directory = written(t, input);
    const packed = await pack(directory).catch((error) => assert.equal(error.code, expect[0][0]));
    for (const source of [directory, packed?.data].filter(Boolean)) {
      const about = [...(await check(source))].filter(({ document }) => document === "values.schema.json");
      const got = about.map(({ code, document, pointer, line }) => [code, document, pointer, line ?? null]);
      assert.deepEqual(got, expect, why);
    }
    assert.ok([...(await check(directory, undefined, { schema }))].every(({ code }) => code !== "schema.unjudged"));
  });
}

test("a violation is shown at its line, and the schema's place is named", async (t) => {
  const directory = written(t, { schema: '{"properties": {"a": {"type": "integer"}}}', values_yaml: "b: 1\na: two\n" });
  const said = String(await check(directory, undefined, { schema }));
  assert.match(said, /2 \| a: two\n {2}\| {4}\^\^\^/);
  assert.match(said, /values\.schema\.json says so: .*\/properties\/a\./);
});
