// Archives and documents that attack their reader: tests/hostile/cases.json, explained in generate.py beside it.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";

import { Archive, ChartOciError, check } from "../../bindings-wasm/js/node.js";
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

async function outcome({ archive, limits, document, kind }, expect, directory) {
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

for (const { name, why, input, expect } of readJson("tests/hostile/cases.json")) {
  const skip = input.layout && "no registry of JavaScript's stands over a directory";
  test(name, { skip }, async (context) => assert.deepEqual(await outcome(input, expect, temporary(context)), expect, why));
}
