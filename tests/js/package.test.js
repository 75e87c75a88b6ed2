// The tarball that npm would publish, in an empty folder: imported, required, read by tsc, weighed.

import assert from "node:assert/strict";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { PACKAGE, ROOT, installed, run } from "./support.js";

const PROGRAM = `
  const transportOf = (registry) => ({
    async send({ url, method, headers, body }) {
      const answer = await registry.fetch(url, { method, headers, body: method === "HEAD" ? undefined : body });
      return { status: answer.status, headers: [...answer.headers], body: answer.body ?? (async function* () {})() };
    },
  });
  const { data } = await chartoci.package(process.argv[2]);
  const registry = new testing.Registry();
  const client = new chartoci.Client({ fetch: registry.fetch, plainHttp: true });
  const { reference } = await client.push(data, "oci://" + registry.host + "/charts");
  const { archive } = await client.pull(reference);
  const push = sansio.Push.chart(await chartoci.Artifact.build(data), "oci://" + registry.host + "/own");
  const exchange = sansio.Exchange.push(new sansio.Session({ plainHttp: true }), push, {});
  const { digest } = await sansio.drive(exchange, { transport: transportOf(registry), blobs: [undefined, data] });
  const same = (await client.resolve(push.target)).digest === digest;
  console.log(Buffer.compare(archive, data), String(chartoci.Version.parse("v1.2")), same);
`;

test("import and require work from the packed tarball, in an empty folder", (t) => {
  const directory = installed(t);
  const imports = ["chartoci", "testing", "sansio"].map((name, at) => [name, at === 0 ? "chartoci" : `chartoci/${name}`]);
  const modules = imports.map(([name, from]) => `import * as ${name} from "${from}";\n`);
  const required = imports.map(([name, from]) => `const ${name} = require("${from}");\n`);
  writeFileSync(join(directory, "imports.mjs"), `${modules.join("")}${PROGRAM}`);
  writeFileSync(join(directory, "requires.cjs"), `${required.join("")}(async () => {${PROGRAM}})();`);
  for (const file of ["imports.mjs", "requires.cjs"]) {
    const said = run(directory, "node", "--disable-warning=ExperimentalWarning", file, join(ROOT, "examples/web"));
    assert.equal(said, "0 v1.2 true\n", file);
  }
});

const SLIM = `
  import { readFileSync } from "node:fs";
  import { createRequire } from "node:module";
  import { Client, Reference, check, init, package as chart } from "chartoci/slim";
  import { Registry } from "chartoci/testing";
  const read = (name) => readFileSync(createRequire(import.meta.url).resolve("chartoci/" + name));
  const registry = new Registry();
  const client = new Client({ fetch: registry.fetch, plainHttp: true });
  const attempt = () => client.tags(registry.host + "/web").catch((error) => error.code);
  const said = [await attempt()];
  await init(read("chartoci.wasm"));
  said.push(Reference.parse("a.example/web:1").tag, await attempt());
  await init(undefined, { check: read("check.wasm"), exchange: read("exchange.wasm") });
  said.push((await check(Buffer.from("name: web"), "chart.yaml")).ok);
  const pack = () => chart({ "Chart.yaml": "apiVersion: v2\\nname: web\\nversion: 1.0.0" }).catch((error) => error);
  said.push((await pack()).code);
  await init(undefined, { package: read("package.wasm") });
  said.push((await pack()).filename);
  console.log(...said, await attempt());
`;

test("slim takes the modules that it is given, and documents need no other", (t) => {
  const directory = installed(t);
  writeFileSync(join(directory, "slim.mjs"), SLIM);
  const said = run(directory, "node", "slim.mjs");
  const loading = ["misuse.not_loaded", 1, "misuse.not_loaded", false, "misuse.not_loaded", "web-1.0.0.tgz"];
  assert.equal(said, `${[...loading, "registry.repository_unknown"].join(" ")}
`);
});

test("tsc --strict reads the types as a program would", (t) => {
  const directory = installed(t);
  copyFileSync(join(ROOT, "tests/js/types/example.ts"), join(directory, "example.mts"));
  const strict = { strict: true, noEmit: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true };
  const browser = { lib: ["es2023", "dom", "dom.iterable"], types: [] };
  const node = { lib: ["es2023", "esnext.disposable"], types: ["node"], typeRoots: [join(PACKAGE, "node_modules/@types")] };
  for (const [module, moduleResolution, platform] of [["nodenext", "nodenext", node], ["esnext", "bundler", browser]]) {
    const compilerOptions = { ...strict, target: "es2022", module, moduleResolution, ...platform };
    writeFileSync(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["example.mts"] }));
    try {
      run(directory, "node", join(PACKAGE, "node_modules/typescript/bin/tsc"));
    } catch (error) {
      assert.fail(`${module}: ${error.stdout}`);
    }
  }
});

test("the glue makes no code from text, and nothing says where it was built", () => {
  for (const name of ["chartoci", "check", "exchange", "node", "package", "registry"]) {
    const glue = readFileSync(join(PACKAGE, `dist/${name}.js`), "utf8");
    assert.ok(!/new Function|\beval\(/.test(glue), name);
    const module = readFileSync(join(PACKAGE, `dist/${name}_bg.wasm`), "latin1");
    assert.ok(!module.includes(process.env.HOME) && !module.includes("registry/src"), name);
  }
});

// Ratchets, in bytes, as it is and by `gzip -9`: they only get smaller, save with a reason.
const BUDGETS = {
  // With a scan that large Blobs go through in pieces.
  chartoci: [424_500, 190_000],
  // With defaults coalesced as Helm does it, and with bounds on what schemas and values cost.
  check: [526_500, 238_000],
  // With warnings, and lists of referrers that stay true.
  exchange: [391_000, 174_500],
  node: [812_500, 363_000],
  package: [398_000, 179_500],
  registry: [395_500, 166_500],
  // With patterns and URLs read as Go reads them.
  schema: [512_500, 210_000],
};
for (const [name, budgets] of Object.entries(BUDGETS)) {
  test(`the module ${name} keeps to its budget`, () => {
    const data = readFileSync(join(PACKAGE, `dist/${name}_bg.wasm`));
    const sizes = [data.length, gzipSync(data, { level: 9 }).length];
    console.log(`NOTE ${name}_bg.wasm: ${sizes[0]} bytes, ${sizes[1]} by gzip`);
    assert.ok(sizes.every((size, at) => size <= budgets[at]), `${sizes} of ${budgets}`);
  });
}
