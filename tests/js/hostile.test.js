// Archives and documents that attack their reader: tests/hostile/cases.json, explained in generate.py beside it.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";

import { Archive, ChartOciError, check } from "../../bindings-wasm/js/node.js";
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

async function outcome({ archive, limits, document, kind }, directory) {
  if (document !== undefined) {
    const report = await check(Buffer.from(document), kind);
    return { error: report.errors[0].code };
  }
  let read;
  const error = await codeOf(async () => {
    read = await Archive.read(Buffer.from(archive, "base64"), { limits });
  });
  if (error) return { error };
  const extract = await codeOf(() => read.extract(directory));
  if (extract) assert.deepEqual(readdirSync(directory), []);
  return { paths: [...read.files.keys()], ...(extract && { extract }) };
}

for (const { name, why, input, expect } of readJson("tests/hostile/cases.json")) {
  test(name, async (context) => assert.deepEqual(await outcome(input, temporary(context)), expect, why));
}
