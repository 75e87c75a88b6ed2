// Whoever carries requests out: Node by node:http, Node by its fetch, and a page in Chromium by the browser's. What is
// asked of one is asked of each; peers on loopback let pages read all that they say.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { inspect } from "node:util";

import { collect } from "../../bindings-wasm/js/blobs.js";
import * as library from "../../bindings-wasm/js/node.js";
import { Registry } from "../../bindings-wasm/js/node-testing.js";
import { chromium, launch, serve } from "./browser.js";
import { perform } from "./page/perform.js";
import { packaged, peer } from "./support.js";

export { CHART, LARGE } from "./page/perform.js";

/** The drivers that run in Node. */
export const IN_NODE = ["node:http", "fetch"];
const EVERY = [...IN_NODE, "Chromium"];

let site;
let browser;
let page;
let directory;

/** Starts Chromium for the tests of a file; `flags` may depend on what is made first. */
export function withChromium(flags = () => []) {
  before(async () => {
    site = await serve("*");
    if (!chromium) return;
    directory = mkdtempSync(join(tmpdir(), "chartoci-"));
    await packaged.write(directory);
    browser = await launch(flags());
    page = await open(site.origin);
  });
  after(async () => {
    site?.close();
    await browser?.close();
    if (directory) rmSync(directory, { recursive: true });
  });
}

/** A page of this site, with the chart in its form. */
export async function open(origin) {
  const opened = await browser.open(`${origin}/`);
  await opened.choose("input", join(directory, packaged.filename));
  return opened;
}

/** The page's own console. */
export const complaints = () => page?.complaints ?? [];

const show = (value) => inspect(value, { depth: 9, showHidden: true });

const QUICK = { credentials: null, retry: { attempts: 1 } };

/** Lets a driver do something: `carry(driver, { calls, options })`; see `perform`. */
export async function carry(driver, task, where = page) {
  const options = { ...QUICK, ...task.options };
  if (driver === "Chromium") return where.evaluate(`tasks.page.perform(${JSON.stringify({ ...task, options })})`);
  if (driver === "fetch") options.fetch = globalThis.fetch;
  return perform(library, packaged.data, { ...task, options, show });
}

/** A task of the page. */
export const inPage = (task, word) => page.evaluate(`tasks.page.${task}(${JSON.stringify(word)})`);

/** One verb, by a client of its own: gives its result, or throws what it throws. */
export async function drive(driver, options, ...call) {
  const { result, error } = (await carry(driver, { options, calls: [call] })).outcomes[0];
  if (error) throw library.ChartOciError.from(error);
  return result;
}

/** A test for each of `drivers`: `run(t, ask, driver)`, with `ask(verb, ...words)` and `ask.by(options, verb, ...words)`. */
export function everyDriver(name, run, drivers = EVERY) {
  for (const driver of drivers) {
    const skip = driver === "Chromium" && !chromium && "no Chromium";
    const ask = (...call) => drive(driver, {}, ...call);
    ask.by = (options, ...call) => drive(driver, options, ...call);
    test(`${name}, by ${driver}`, { skip }, (t) => run(t, ask, driver));
  }
}

/** What needs files, sockets or options that no page has. */
export const everyNode = (name, run) => everyDriver(name, run, IN_NODE);

/** Holds that something takes less than 100 ms. A busy machine gets more tries: what is slow by nature never makes it. */
export async function soon(attempt, what = "") {
  let took;
  for (let tries = 0; tries < 8; tries++) {
    took = await attempt();
    if (took < 100) return;
  }
  assert.fail(`${what} took ${took} ms`);
}

/** The code that an action ends with, and that there is a hint. */
export async function codeOf(action) {
  const error = await action.then(
    (result) => assert.fail(`nothing was thrown: ${JSON.stringify(result)}`),
    (error) => error,
  );
  if (!(error instanceof library.ChartOciError)) throw error;
  assert.ok(error.hint, error.message);
  return error.code;
}

/** A registry on loopback that pages may use. */
export async function registry(t, options = {}) {
  const made = await new Registry({ corsOrigins: [site.origin], ...options }).listen();
  t.after(() => made.close());
  return made;
}

/** What lets any page do anything, and read it. */
export const SHARED = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "*",
  "access-control-allow-headers": "authorization, *",
  "access-control-expose-headers": "*",
};

/**
 * An origin of its own on loopback: its port, its host, and what it sees. `answer(method, path, headers, body)` gives
 * status, headers, body; nothing at all: it hangs up.
 */
export async function origin(t, answer, server = http.createServer()) {
  const seen = [];
  server.on("request", async (request, response) => {
    const { method, url, headers } = request;
    const body = await collect(request);
    if (method === "OPTIONS") return response.writeHead(204, SHARED).end();
    seen.push({ method, path: url, authorization: headers.authorization, cookie: headers.cookie });
    const given = await answer(method, url, headers, body);
    if (!given) return response.destroy();
    const [status, fields = {}, data = ""] = given;
    const length = { "content-length": Buffer.byteLength(data) };
    response.writeHead(status, { ...SHARED, ...length, ...fields }).end(method === "HEAD" ? undefined : data);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address();
  return { port, host: `127.0.0.1:${port}`, seen };
}

/** As a head's lines. */
export const lines = (fields) => Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`).join("");

/** A server that does what `serve(socket, head)` does with each first request that is no preflight. */
export function raw(t, serve) {
  return peer(t, (socket) => {
    let data = "";
    socket.on("data", function first(chunk) {
      data += chunk.toString("latin1");
      const end = data.indexOf("\r\n\r\n");
      if (end < 0) return;
      if (data.startsWith("OPTIONS ")) {
        data = data.slice(end + 4);
        return void socket.write(`HTTP/1.1 204 X\r\n${lines(SHARED)}\r\n`);
      }
      socket.off("data", first);
      serve(socket, data.slice(0, end), Buffer.from(data.slice(end + 4), "latin1"));
    });
  });
}
