// Archives and documents that attack their reader: tests/hostile/cases.json, explained in generate.py beside it.

import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { Archive, ChartOciError, check } from "../../bindings-wasm/js/node.js";
// Loads the module that opens a registry's directory; the package's own registry stands in memory.
import "../../bindings-wasm/js/node-testing.js";
import { Registry } from "../../bindings-wasm/js/dist/registry.js";
import { run } from "../../bindings-wasm/js/files-node.js";
import { schema } from "../../bindings-wasm/js/node-schema.js";
import { readJson, temporary } from "./support.js";

/** What comes of a call: nothing, or the code of its error. */
async function codeOf(call) {
  try {
    await call();
    return undefined;
  } catch (error) {
    if (!(error instanceof ChartOciError)) throw error;
    return error.code;
  }
}

/** Nothing in it steers a terminal or turns text around. */
const neutral = (text) => !/[\p{Cc}\p{Cf}]/u.test(text.replaceAll("\n", ""));

async function outcome({ archive, limits, document, kind, layout }, expect, directory) {
  if (layout) {
    for (const [path, content] of Object.entries(layout)) writeFileSync(join(directory, path), content);
    return { error: (await codeOf(() => run(new Registry({}).open(), directory))) ?? null };
  }
  if (document !== undefined) {
    const text = document.map(([part, times]) => part.repeat(times)).join("");
    const report = await check(Buffer.from(text), kind, { limits, schema });
    assert.ok(neutral(String(report)));
    const warnings = report.warnings.map(({ code }) => code);
    return { error: report.errors[0]?.code ?? null, ...(expect.warnings && { warnings }) };
  }
  let read;
  const error = await codeOf(async () => {
    read = await Archive.read(Buffer.from(archive, "base64"), { limits });
  });
  if (error) return { error };
  const values = expect.values && { values: JSON.stringify(read.values) };
  const report = expect.check && (await check(Buffer.from(archive, "base64"), "chart", { limits }));
  const checked = report && { check: report.errors.find(({ code }) => code === expect.check)?.code };
  const extract = await codeOf(() => read.extract(directory));
  if (extract) assert.deepEqual(readdirSync(directory), []);
  assert.equal({}.polluted, undefined);
  return { paths: [...read.files.keys()], ...values, ...checked, ...(extract && { extract }) };
}

const CASES = readJson("tests/hostile/cases.json");

for (const { name, why, input, expect } of CASES) {
  test(name, async (context) => assert.deepEqual(await outcome(input, expect, temporary(context)), expect, why));
}

test("no family is missing", () => {
  const families = "PATH LINK NAME BOMB DIFF TYPE SIZE YAML NULL SEMVER SCHEMA TERM PROTO LAYOUT EXIT".split(" ");
  assert.deepEqual([...new Set(CASES.map(({ family }) => family))].sort(), families.map((family) => `T-${family}`).sort());
});
