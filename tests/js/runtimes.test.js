// Other runtimes than Node and browsers, with the packed package. They are looked for, never fetched:
// `npm install --prefix tests/js --no-save deno workerd` brings them.

import assert from "node:assert/strict";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { test } from "node:test";

import { ROOT, installed, packaged, run } from "./support.js";

const PLACES = [join(ROOT, "tests/js/node_modules/.bin"), ...(process.env.PATH ?? "").split(delimiter)];
const find = (name) => PLACES.map((place) => join(place, name)).find((path) => existsSync(path));

const TRIP = `
  const charts = "oci://" + registry.host + "/charts";
  const client = new Client({ fetch: registry.fetch, plainHttp: true, credentials: null });
  const archive = await Archive.read(data);
  const { reference, digest } = await client.push(archive, charts);
  const pulled = await client.pull(reference);
  const report = await check(pulled.archive, "chart");
  const said = [archive.metadata.name, digest, String(await client.versions(charts + "/web")), report.ok].join(" ");
`;

/** What Node says of the same. */
async function expected() {
  const { Client } = await import("../../bindings-wasm/js/node.js");
  const { Registry } = await import("../../bindings-wasm/js/node-testing.js");
  const registry = new Registry();
  const client = new Client({ fetch: registry.fetch, plainHttp: true, credentials: null });
  const { digest } = await client.push(packaged.data, `oci://${registry.host}/charts`);
  return `web ${digest} 1.2.0+demo.1 true`;
}

const deno = find("deno");
test("Deno", { skip: !deno && "no deno" }, async (t) => {
  const directory = installed(t);
  writeFileSync(join(directory, "chart.tgz"), packaged.data);
  const program = `
    import { Archive, Client, check } from "chartoci";
    import { Registry } from "chartoci/testing";
    const data = "chart.tgz";
    const registry = new Registry();
    ${TRIP}
    console.log(said);
  `;
  writeFileSync(join(directory, "main.mjs"), program);
  const words = ["run", "--allow-all", "--no-remote", "--node-modules-dir=manual", "main.mjs"];
  assert.equal(run(directory, deno, ...words), `${await expected()}\n`);
});

const workerd = find("workerd");
test("workerd", { skip: !workerd && "no workerd" }, async (t) => {
  const directory = installed(t);
  writeFileSync(join(directory, "chart.tgz"), packaged.data);
  const program = `
    import { Archive, Client, check } from "./workerd.js";
    import { Registry, init } from "./testing.js";
    import registryModule from "./dist/registry_bg.wasm";
    import data from "chart.tgz";
    export default {
      async test() {
        await init(registryModule);
        const registry = new Registry();
        ${TRIP}
        if (said !== ${JSON.stringify(await expected())}) throw new Error(said);
      },
    };
  `;
  writeFileSync(join(directory, "main.js"), program);
  const root = join(directory, "node_modules/chartoci");
  const module = (name, kind, path) => `(name = "${name}", ${kind} = embed "${path}")`;
  const modules = readdirSync(root, { recursive: true })
    .filter((name) => /\.(js|wasm)$/.test(name) && !/^(node|files-node)/.test(name))
    .map((name) => module(name, name.endsWith(".wasm") ? "wasm" : "esModule", `node_modules/chartoci/${name}`));
  modules.unshift(module("main", "esModule", "main.js"), module("chart.tgz", "data", "chart.tgz"));
  const configuration = `
    using Workerd = import "/workerd/workerd.capnp";
    const config :Workerd.Config = (services = [(name = "main", worker = .main)]);
    const main :Workerd.Worker = (modules = [${modules.join(", ")}], compatibilityDate = "2025-01-01");
  `;
  writeFileSync(join(directory, "config.capnp"), configuration);
  run(directory, workerd, "test", "config.capnp");
});
