// Situations that a document or an answer alone does not make: tests/errors/situations.json, each with the code that comes of it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Archive, ChartOciError, Client } from "../../bindings-wasm/js/node.js";
import { Registry } from "../../bindings-wasm/js/node-testing.js";
import { packaged, PACKAGE, readJson, ROOT, run } from "./support.js";

/** A registry that has the example chart, and a client that asks it. */
async function pushed() {
  const registry = new Registry();
  const client = new Client({ fetch: registry.fetch, plainHttp: true, credentials: null });
  const target = `oci://${registry.host}/charts`;
  const { reference } = await client.push(packaged, target);
  return { client, registry, reference, target };
}

const SITUATIONS = {
  "a text with line breaks where a path stands": () => Archive.read("apiVersion: v2\nname: web\n"),
  "a module that was not loaded"() {
    const program = `
      import { Reference } from "${PACKAGE}/slim.js";
      try { Reference.parse("a.example/web:1"); } catch ({ code, message }) { console.log(JSON.stringify([code, message])); }`;
    const [code, message] = JSON.parse(run(ROOT, "node", "--input-type=module", "--eval", program));
    throw ChartOciError.from({ code, message });
  },
  "a tag, and another version beside it": async () => {
    const { client, reference } = await pushed();
    await client.resolve(reference, { version: "9.9.9" });
  },
  "a range that no version satisfies": async () => {
    const { client, target } = await pushed();
    await client.resolve(`${target}/web`, { version: ">9" });
  },
  "a manifest whose chart is gone": async () => {
    const { registry, reference } = await pushed();
    const fetch = (url, options) => (/\/blobs\//.test(url) ? new Response(null, { status: 404 }) : registry.fetch(url, options));
    await new Client({ fetch, plainHttp: true, credentials: null }).open(reference);
  },
  "a push to a tag that is taken": async () => {
    const { client, target } = await pushed();
    await client.push(packaged, target, { ifExists: "refuse", created: new Date(0) });
  },
};

for (const { name, languages, expect } of readJson("tests/errors/situations.json")) {
  if (!languages.includes("javascript")) continue;
  test(name, () => assert.rejects(async () => SITUATIONS[name](), { code: expect.code }));
}
