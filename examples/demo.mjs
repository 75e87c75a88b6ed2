// What chartoci does, from JavaScript: package, push, versions, show, pull, verify. `node examples/demo.mjs [CHART]`.

import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";

// In a program of yours: from "chartoci" and from "chartoci/testing".
import * as chartoci from "../bindings-wasm/js/node.js";
import { Registry } from "../bindings-wasm/js/node-testing.js";

const source = process.argv[2] ?? fileURLToPath(new URL("web", import.meta.url));

/** A step and what came of it. */
function say(title, ...lines) {
  console.log(`\n${title}`);
  for (const line of lines) console.log(`    ${line}`);
}

console.log(`\n\nchartoci from Node, with the chart ${source} and a registry inside this very process`);

// A directory becomes an archive; the same files, with their times, always give the same bytes, here as in Python.
let bytes = source;
if ((await stat(source)).isDirectory()) {
  const packaged = await chartoci.package(source);
  bytes = packaged.data;
  say("package: files in, one archive out", `${packaged.filename}, ${bytes.length} bytes`, packaged.digest);
}
const archive = await chartoci.Archive.read(bytes);
const { name, version } = archive.metadata;

// The registry is a function from request to response: no network is needed, though it can also listen.
let damaging = false;
const registry = new Registry({
  faults: (method, target) => (damaging && target.includes("/blobs/") ? { status: null, flip: true } : undefined),
});
const client = new chartoci.Client({ fetch: registry.fetch, plainHttp: true });
const charts = "oci://registry.test/charts";

const pushed = await client.push(archive, charts);
say("push: into the registry", pushed.reference, pushed.digest);

const versions = await client.versions(`${charts}/${name}`, undefined, { prerelease: true });
say("versions: what is there, newest first", ...versions.map((found) => `${found} (tag ${found.tag})`));

say("the manifest, explained", ...(await client.artifact(pushed.reference)).explain().trimEnd().split("\n"));

const opened = await client.open(pushed.reference);
say("show: the chart's own words", ...(await chartoci.show(opened, "chart")).trimEnd().split("\n"));

const pulled = await client.pull(`${charts}/${name}`, { version });
const again = await chartoci.Archive.read(pulled.archive);
if (String(again.digest) !== String(archive.digest)) throw new Error("what came back is not what was pushed");
say("pull and verify: what came back is what was pushed", `${again.digest} twice`);

// The chart's first byte changes on its way: it is refused.
damaging = true;
const error = await client.pull(`${charts}/${name}`, { version }).then(
  () => new Error("a damaged chart was taken"),
  (refused) => refused,
);
if (!(error instanceof chartoci.ChartOciError)) throw error;
say("and a damaged one is refused", error.code, error.message);
