// One behaviour, asked of a registry from Node: `node live.mjs TASK`, where TASK is JSON; prints what came of it.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import { Client } from "../../bindings-wasm/js/node.js";

const task = JSON.parse(process.argv[2]);
const [username, password] = task.credentials ?? [];
const client = new Client({
  credentials: task.credentials ? { username, password } : null,
  ...(task.ca ? { caFile: task.ca } : {}),
});
const target = `oci://${task.host}/live/${task.driver}`;
const repository = `${target}/typical`;

const pushed = [];
for (const path of task.charts) pushed.push(await client.push(readFileSync(path), target));
const again = await client.push(readFileSync(task.charts[0]), target);
const archive = await client.open(`${repository}:1.0.0`);
const missing = await client.open(`${repository}:9.9.9`).catch((error) => error);
console.log(
  JSON.stringify({
    digests: pushed.map((each) => each.digest),
    again: [again.digest, again.blobs.filter((blob) => blob.uploaded === "sent").length],
    tags: (await client.tags(repository)).sort(),
    versions: (await client.versions(repository)).map(String),
    resolved: (await client.resolve(repository, { version: "^1.0" })).digest,
    opened: createHash("sha256").update(archive.data).digest("hex"),
    name: (await client.metadata(`${repository}:1.0.0`)).name,
    missing: missing.kind,
  }),
);
client.close();
