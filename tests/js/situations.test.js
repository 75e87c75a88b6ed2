// Situations that a document or an answer alone does not make: tests/errors/situations.json, each with the code that comes of it.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";

import { Archive, ChartOciError, Client, package as pack } from "../../bindings-wasm/js/node.js";
import { Registry } from "../../bindings-wasm/js/node-testing.js";
import { failing, packaged, PACKAGE, readJson, ROOT, run, saysWhatToDo, temporary } from "./support.js";

/** A registry that has the example chart, and a client that asks it. */
async function pushed() {
  const registry = new Registry();
  const client = new Client({ fetch: registry.fetch, plainHttp: true, credentials: null });
  const target = `oci://${registry.host}/charts`;
  const { reference } = await client.push(packaged, target);
  return { client, registry, reference, target };
}

/** A pull into that directory. */
async function pulled(directory) {
  const { client, reference } = await pushed();
  await client.pull(reference, { directory });
}

const nobody = () => new Client({ credentials: null, retry: { attempts: 1 } });

const SITUATIONS = {
  "a text in place of an archive": () => nobody().push(Buffer.from("no archive\n"), "oci://127.0.0.1:1/charts"),
  "a target that begins with http": () => nobody().push(packaged, "http://127.0.0.1:1/charts"),
  "a host at which nobody answers": () => nobody().push(packaged, "oci://127.0.0.1:1/charts"),
  "a path where nothing is": (t) => nobody().push(`${temporary(t)}/nothing.tgz`, "oci://127.0.0.1:1/charts"),
  "a directory in place of an archive": (t) => nobody().push(temporary(t), "oci://127.0.0.1:1/charts"),
  "an archive in place of a directory"(t) {
    const path = `${temporary(t)}/web.tgz`;
    writeFileSync(path, packaged.data);
    return pack(path);
  },
  "a version that is not there": async () => {
    const { client, target } = await pushed();
    await client.pull(`${target}/web`, { version: "9.9.9" });
  },
  "a text with line breaks where a path stands": () => Archive.read("apiVersion: v2\nname: web\n"),
  "a module that was not loaded"() {
    const program = `
      import { Reference } from "${PACKAGE}/slim.js";
      try { Reference.parse("a.example/web:1"); } catch ({ code, message, hint }) { console.log(JSON.stringify({ code, message, hint })); }`;
    throw ChartOciError.from(JSON.parse(run(ROOT, "node", "--input-type=module", "--eval", program)));
  },
  "a tag, and another version beside it": async () => {
    const { client, reference } = await pushed();
    await client.resolve(reference, { version: "9.9.9" });
  },
  "a signature that is to be verified": async () => {
    await new Client({ fetch: () => assert.fail("a request"), plainHttp: true }).pull("localhost/web", { verify: "keys.gpg" });
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
  "a pull to where a file stands": () => pulled(`${ROOT}/README.md`),
  "a pull to below a file": () => pulled(`${ROOT}/README.md/charts`),
  "a pull to where nothing may be made": () => pulled("/sys/charts"),
  "a pull to where nothing can be made": () => pulled("/proc/charts/new"),
  "a user agent that cannot stand in a header": () => new Client({ userAgent: "tests\r\nX-Mine: 1" }).tags("localhost/web"),
  "a push to a tag that is taken": async () => {
    const { client, target } = await pushed();
    await client.push(packaged, target, { ifExists: "refuse", created: new Date(0) });
  },
};

for (const { name, languages, expect } of readJson("tests/errors/situations.json")) {
  if (!languages.includes("javascript")) continue;
  test(name, async (t) => {
    const error = await failing(async () => SITUATIONS[name](t));
    assert.equal(error.code, expect.code, error.message);
    saysWhatToDo(error, expect.says);
  });
}
