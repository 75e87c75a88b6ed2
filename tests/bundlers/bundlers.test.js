// The tarball that npm would publish, in a small app, bundled by each of four bundlers: it opens a chart in Chromium and in Node.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { chromium, launch } from "../js/browser.js";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const PACKAGE = join(HERE, "../../bindings-wasm/js");
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

const run = (directory, program, ...words) =>
  execFileSync(program, words, { cwd: directory, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

/** What the app does: opens a chart, pushes it into a registry in memory, and pulls it from there. */
const APP = `
  import { Archive, Client } from "chartoci";
  import { Registry } from "chartoci/testing";
  export async function work(data) {
    const { metadata } = await Archive.read(data);
    const registry = new Registry();
    const client = new Client({ fetch: registry.fetch, plainHttp: true, credentials: null });
    const { reference } = await client.push(data, "oci://" + registry.host + "/charts");
    return [metadata.name, String(reference), (await client.pull(reference)).archive.length === data.length];
  }
`;
const PAGE = `
  import { work } from "./app.js";
  globalThis.work = async () => work(new Uint8Array(await (await fetch("/chart.tgz")).arrayBuffer()));
`;
const PROGRAM = `
  import { readFileSync } from "node:fs";
  import { work } from "./app.js";
  work(new Uint8Array(readFileSync(process.argv[2]))).then((found) => console.log(JSON.stringify(found)));
`;
const FOUND = ["web", /^oci:\/\/.*\/charts\/web:1\.2\.0_demo\.1$/, true];

/** Each takes page.js and leaves out/page.js; where a bundler leaves the modules' URLs alone, they are put beside it. */
const BUNDLERS = {
  async esbuild(app) {
    const { build } = await import("esbuild");
    await build({ absWorkingDir: app, entryPoints: ["page.js"], outdir: "out", bundle: true, format: "esm", logLevel: "error" });
    beside(app);
  },
  async rollup(app) {
    const { rollup } = await import("rollup");
    const { nodeResolve } = await import("@rollup/plugin-node-resolve");
    const bundle = await rollup({ input: join(app, "page.js"), plugins: [nodeResolve({ browser: true })] });
    await bundle.write({ dir: join(app, "out"), format: "es" });
    await bundle.close();
    beside(app);
  },
  async vite(app) {
    const { build } = await import("vite");
    const names = { entryFileNames: "[name].js" };
    const options = { input: join(app, "page.html"), output: names };
    await build({ root: app, logLevel: "error", build: { outDir: "out", rollupOptions: options, target: "es2022" } });
    writeFileSync(join(app, "out/index.html"), readFileSync(join(app, "out/page.html")));
  },
  async webpack(app) {
    const { default: webpack } = await import("webpack");
    const settings = { context: app, mode: "production", entry: "./page.js", output: { path: join(app, "out"), filename: "page.js" } };
    const stats = await new Promise((resolve, reject) =>
      webpack(settings, (error, result) => (error ? reject(error) : resolve(result))),
    );
    assert.equal(stats.hasErrors(), false, stats.toString({ all: false, errors: true }));
  },
};

function beside(app) {
  cpSync(join(app, "node_modules/chartoci/dist"), join(app, "out/dist"), {
    recursive: true,
    filter: (path) => !path.endsWith(".js"),
  });
}

describe("bundled", () => {
  let app;
  let browser;
  before(async () => {
    app = mkdtempSync(join(tmpdir(), "chartoci-bundlers-"));
    run(PACKAGE, "npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", app);
    writeFileSync(join(app, "package.json"), '{ "private": true, "type": "module" }');
    const tarball = readdirSync(app).find((name) => name.endsWith(".tgz"));
    run(app, "npm", "install", "--offline", "--silent", "--no-audit", "--no-fund", `./${tarball}`);
    const files = { "app.js": APP, "page.js": PAGE, "program.js": PROGRAM };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(app, name), text);
    writeFileSync(join(app, "page.html"), '<!doctype html><script type="module" src="./page.js"></script>');
    const { package: pack } = await import("../../bindings-wasm/js/node.js");
    writeFileSync(join(app, "chart.tgz"), (await pack(join(HERE, "../../examples/web"))).data);
    if (chromium) browser = await launch();
  });
  after(async () => {
    await browser?.close();
    rmSync(app, { recursive: true, force: true });
  });

  const check = (found) => {
    assert.deepEqual([found[0], found[2]], [FOUND[0], FOUND[2]]);
    assert.match(found[1], FOUND[1]);
  };

  for (const [name, bundle] of Object.entries(BUNDLERS)) {
    test(`by ${name} for a page`, { skip: !chromium && "no Chromium" }, async (t) => {
      rmSync(join(app, "out"), { recursive: true, force: true });
      mkdirSync(join(app, "out"));
      writeFileSync(join(app, "out/index.html"), '<!doctype html><script type="module" src="./page.js"></script>');
      await bundle(app);
      symlinkSync(join(app, "chart.tgz"), join(app, "out/chart.tgz"));
      const page = await browser.open(await served(t, join(app, "out")));
      check(await page.evaluate("work()"));
      assert.deepEqual(page.complaints, []);
    });
  }

  test("by esbuild for Node, the package left outside", async () => {
    const { build } = await import("esbuild");
    const options = { entryPoints: ["program.js"], outfile: "program.mjs", bundle: true, format: "esm", platform: "node" };
    await build({ absWorkingDir: app, ...options, packages: "external", logLevel: "error" });
    check(JSON.parse(run(app, "node", "program.mjs", "chart.tgz")));
  });
});

/** Serves a directory on loopback until the test is over; gives its URL. */
async function served(t, directory) {
  const server = createServer((request, response) => {
    const path = new URL(request.url, "http://localhost").pathname;
    if (path === "/favicon.ico") return response.writeHead(204).end();
    try {
      const body = readFileSync(join(directory, path === "/" ? "index.html" : path));
      response.writeHead(200, { "content-type": TYPES[extname(path === "/" ? ".html" : path) || ".html"] ?? "text/plain" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => (server.closeAllConnections(), server.close()));
  return `http://127.0.0.1:${server.address().port}/`;
}
