// Headless Chromium, under the strictest CSP that WebAssembly can live with: on a page and in a worker. A page that reaches
// nothing but its own server does all that needs no registry on the network.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSocketServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { schema } from "../../bindings-wasm/js/node-schema.js";
import * as library from "../../bindings-wasm/js/node.js";
import { Registry } from "../../bindings-wasm/js/node-testing.js";
import { chromium, launch, serve } from "./browser.js";
import { offline } from "./page/offline.js";
import { ROOT, packaged, temporary } from "./support.js";

const { Client } = library;
const DOCKER_REGISTRY = "/usr/bin/docker-registry";
const skip = !chromium && "no Chromium";
describe("in Chromium", { skip }, () => {
  const servers = [];
  let browser;
  let origin;
  let page;
  let directory;
  before(async () => {
    for (const reach of ["'self'", "*"]) servers.push(await serve(reach));
    origin = servers[1].origin;
    directory = mkdtempSync(join(tmpdir(), "chartoci-"));
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    rmSync(directory, { recursive: true, force: true });
    for (const server of servers) server.close();
  });

  const call = (where, task, ...words) => {
    const list = words.map((word) => JSON.stringify(word)).join();
    return page.evaluate(`tasks.${where}.${task}(${list})`);
  };

  async function open(url) {
    page = await browser.open(url);
    await page.choose("input", await packaged.write(directory));
  }

  test("a page opens, takes a chart from a File, and needs no network", async () => {
    await open(`${servers[0].origin}/`);
    const expected = { digest: await digest(), versions: ["1.2.0+demo.1"], came: true };
    for (const where of ["page", "worker"]) {
      const { name, files, ...rest } = await call(where, "roundTrip");
      assert.deepEqual([name, files > 5], ["web", true], where);
      assert.deepEqual(rest, expected, where);
    }
    assert.deepEqual(page.complaints, []);
  });

  test("checking, showing, packing and all else that needs no registry is done there as in Node", async () => {
    const expected = await offline(library, schema, new File([packaged.data], packaged.filename));
    const isJudged = (found) => !found.some(([code]) => code === "schema.unjudged");
    assert.ok(isJudged(expected.unfit) && !isJudged(expected.withoutSchema));
    assert.equal(expected.packed[0], packaged.filename);
    assert.equal(expected.refused, "misuse.argument");
    for (const where of ["page", "worker"]) assert.deepEqual(await call(where, "offline"), expected, where);
    assert.deepEqual(page.complaints, []);
  });

  test("the verdict on a chart comes while its page waits", async () => {
    const { first, milliseconds } = await call("page", "verdict");
    console.log(`NOTE verdict in Chromium: ${first.toFixed(1)} ms at first, ${milliseconds.toFixed(1)} ms warm`);
    assert.ok(milliseconds < 1000);
  });

  test("the policy is in force", async () => {
    assert.match(await page.evaluate("tasks.codeFromText()"), /EvalError/);
    assert.equal(await page.evaluate(`tasks.reaches("${servers[1].origin}")`), false);
  });

  test("a registry that listens and names the page's origin can be pushed to and pulled from", async (t) => {
    await open(`${origin}/`);
    assert.equal(await page.evaluate(`tasks.reaches("${servers[0].origin}")`), true);
    const registry = await new Registry({ corsOrigins: [origin] }).listen();
    t.after(() => registry.close());
    for (const where of ["page", "worker"]) {
      const result = await call(where, "through", registry.host);
      assert.deepEqual(result, { digest: await digest(), versions: ["1.2.0+demo.1"], came: true }, where);
    }
  });

  test("a worker with modules of its own knows that it is in a browser", async (t) => {
    const shared = { "access-control-allow-origin": "*", "content-type": "application/json" };
    const server = createServer((request, response) => {
      const moved = request.url.includes("/here/");
      response.writeHead(moved ? 307 : 200, moved ? { ...shared, location: "/v2/there/tags/list" } : shared);
      response.end('{"tags":["1.0.0"]}');
    }).listen(0, "127.0.0.1");
    t.after(() => server.close());
    await once(server, "listening");
    const task = { reference: `127.0.0.1:${server.address().port}/here`, options: { userAgent: "hidden" } };
    assert.deepEqual(await page.evaluate(`tasks.inSlimWorker(${JSON.stringify(task)})`), ["1.0.0"]);
  });

  test("a registry without CORS is explained", async (t) => {
    const registry = await new Registry().listen();
    t.after(() => registry.close());
    await assert.rejects(call("worker", "through", registry.host), /CORS/);
  });

  const missing = !existsSync(DOCKER_REGISTRY) && "no docker-registry";
  test("Debian's registry with CORS headers can be pushed to and pulled from", { skip: missing }, async (t) => {
    const host = await dockerRegistry(t, origin);
    for (const where of ["page", "worker"]) {
      const result = await call(where, "through", host);
      assert.deepEqual(result, { digest: await digest(), versions: ["1.2.0+demo.1"], came: true }, where);
    }
    const { archive } = await new Client({ credentials: null }).pull(`oci://${host}/charts/web`, { version: "^1" });
    assert.deepEqual(archive, packaged.data);
  });
});

/** The manifest's digest, as Node makes it. */
async function digest() {
  const registry = new Registry();
  const client = new Client({ fetch: registry.fetch, plainHttp: true });
  return (await client.push(packaged, `oci://${registry.host}/charts`)).digest;
}

async function dockerRegistry(t, origin) {
  const directory = temporary(t);
  const port = await freePort();
  const headers = {
    "Access-Control-Allow-Origin": [origin],
    "Access-Control-Allow-Methods": ["HEAD", "GET", "OPTIONS", "POST", "PUT", "PATCH"],
    "Access-Control-Allow-Headers": ["Authorization", "Accept", "Content-Type", "Range"],
    "Access-Control-Expose-Headers": ["Docker-Content-Digest", "Location", "WWW-Authenticate", "Link", "Content-Range"],
  };
  // JSON is YAML, too.
  const configuration = {
    version: 0.1,
    log: { level: "error", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: directory } },
    http: { addr: `127.0.0.1:${port}`, headers },
  };
  writeFileSync(join(directory, "config.yml"), JSON.stringify(configuration));
  const program = spawn(DOCKER_REGISTRY, ["serve", join(directory, "config.yml")], { stdio: "ignore" });
  const gone = once(program, "exit");
  t.after(async () => {
    program.kill();
    await gone;
  });
  for (let tries = 0; tries < 200; tries++) {
    const answer = await fetch(`http://127.0.0.1:${port}/v2/`).catch(() => undefined);
    if (answer?.ok) return `127.0.0.1:${port}`;
    await pause(50);
  }
  throw new Error("docker-registry does not answer");
}

async function freePort() {
  const server = createSocketServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
