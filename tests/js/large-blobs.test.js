// Pushes of Blobs that are too large to be held: read piece by piece, once for the scan and once for the registry.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { appendFileSync, openAsBlob, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

import { Artifact, Client } from "../../bindings-wasm/js/node.js";
import { Registry } from "../../bindings-wasm/js/node-testing.js";
import { LARGE, everyDriver, registry as shared, withChromium } from "./drivers.js";
import { PACKAGE, failing, packaged, tar, temporary } from "./support.js";

withChromium();

everyDriver("a large Blob goes up as it is, whatever stands behind the chart", async (t, ask) => {
  const { host } = await shared(t);
  const { reference } = await ask("push", LARGE, `oci://${host}/charts`);
  const whole = createHash("sha256").update(packaged.data).update(new Uint8Array(33 * MIB));
  assert.equal((await ask("pull", reference)).archive, `sha256:${whole.digest("hex")}`);
});

const CHART_YAML = "apiVersion: v2\nname: large\nversion: 1.0.0\n";
const MIB = 1 << 20;
// Far more than what Node lets lie before it collects it.
const MEBIBYTES = 200;

/** A chart whose archive has so many MiB, in a file. */
function large(t, mebibytes, name = "large.tgz") {
  const noise = Array.from({ length: mebibytes }, (_, at) => [`large/${at}`, randomBytes(MIB)]);
  const path = join(temporary(t), name);
  writeFileSync(path, gzipSync(tar({ "large/Chart.yaml": CHART_YAML, ...Object.fromEntries(noise) }), { level: 0 }));
  return path;
}

async function listening(t, options) {
  const registry = await new Registry(options).listen();
  t.after(() => registry.close());
  return registry;
}

// A push, and how many bytes of memory it added at its peak; a small one went before.
const PUSHING = `
import { openAsBlob, readFileSync } from "node:fs";
import { Client } from "${PACKAGE}/node.js";
const [small, large, target] = process.argv.slice(1);
const limits = { archive: 1 << 30, unpacked: 1 << 30 };
const client = new Client({ credentials: null, limits });
const memory = (name) => 1024 * parseInt(readFileSync("/proc/self/status", "utf8").split(name + ":")[1]);
await client.push(await openAsBlob(small), target);
const before = memory("VmRSS");
await client.push(await openAsBlob(large), target);
console.log(memory("VmHWM") - before);
client.close();
`;

// Node's fetch reads a Blob ahead of what it sends, however large it is: there memory is not ours to bound.
test("a push of a large Blob holds pieces of it", { skip: process.platform !== "linux" && "no /proc" }, async (t) => {
  const { host } = await listening(t, { limits: { archive: 1 << 30 } });
  const words = [large(t, 1), large(t, MEBIBYTES), `oci://${host}/charts`];
  const run = promisify(execFile)(process.execPath, ["--no-warnings", "--input-type=module", "-e", PUSHING, ...words]);
  const added = Number((await run).stdout);
  console.log(`NOTE a push of ${MEBIBYTES} MiB: ${Math.round(added / MIB)} MiB of memory`);
  assert.ok(added < (MEBIBYTES / 2) * MIB, `${added} bytes`);
});

for (const kind of ["node:http", "fetch"]) {
  test(`a large Blob is what is pulled again, and tried again where a try breaks, by ${kind}`, async (t) => {
    const registry = await listening(t);
    const path = large(t, 33);
    const blob = await openAsBlob(path);
    let sent = 0;
    const own = (url, init) => {
      const refused = init.body instanceof Blob && init.body.size > MIB && ++sent === 1;
      return refused ? Promise.resolve(new Response("", { status: 503 })) : fetch(url, init);
    };
    const client = new Client({ credentials: null, fetch: kind === "fetch" ? own : undefined });
    t.after(() => client.close());
    const events = [];
    const pushed = await client.push(blob, `oci://${registry.host}/charts`, { onProgress: (event) => events.push(event) });
    if (kind === "fetch") assert.equal(sent, 2);
    const last = events.filter(({ kind, item }) => kind === "progress" && item === "chart").at(-1);
    assert.deepEqual([last.transferred, last.total], [blob.size, blob.size]);
    const { archive } = await client.pull(pushed.reference);
    const hash = (data) => createHash("sha256").update(data).digest("hex");
    assert.equal(hash(archive), hash(readFileSync(path)));
    assert.equal((await Artifact.build(blob)).digest, (await Artifact.build(readFileSync(path))).digest);
  });

  test(`a file that is written to while it goes up gets no tag, by ${kind}`, async (t) => {
    const { host } = await listening(t);
    const path = large(t, 33);
    let changed = false;
    const change = () => {
      if (!changed) appendFileSync(path, "x");
      changed = true;
    };
    const own = (url, init) => {
      if (init.body instanceof Blob && init.body.size > MIB) change();
      return fetch(url, init);
    };
    const client = new Client({ credentials: null, fetch: kind === "fetch" ? own : undefined });
    t.after(() => client.close());
    const onProgress = ({ kind, item }) => kind === "progress" && item === "chart" && change();
    const error = await failing(async () => client.push(await openAsBlob(path), `oci://${host}/charts`, { onProgress }));
    assert.deepEqual([error.kind, error.code], ["conflict", "files.changed"]);
    assert.ok(changed);
    assert.equal((await failing(() => client.resolve(`oci://${host}/charts/large:1.0.0`))).kind, "not_found");
  });
}

test("a large Blob that is no chart is refused before anything is sent, as a small one is", async (t) => {
  const { host } = await listening(t);
  const client = new Client({ credentials: null });
  t.after(() => client.close());
  const push = (data) => failing(() => client.push(new Blob(data), `oci://${host}/charts`));
  const archive = readFileSync(large(t, 33));
  for (const [data, code] of [
    [[new Uint8Array(33 * MIB)], "archive.gzip"],
    [[archive.subarray(0, 33 * MIB - 1000)], "archive.truncated"],
    [[new Uint8Array(129 * MIB)], "limit.archive"],
  ]) {
    assert.equal((await push(data)).code, code);
  }
  const damaged = Uint8Array.from(archive);
  damaged[archive.length - 5] ^= 1;
  assert.equal((await push([damaged])).code, "archive.checksum");
});
