// What goes wrong with a registry, over each transport: its own fetch in memory, Node's fetch, node:http, and Chromium's.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { Client, package as pack } from "../../bindings-wasm/js/node.js";
import { Registry } from "../../bindings-wasm/js/node-testing.js";
import { chromium } from "./browser.js";
import { CHART, SHARED, drive, registry, withChromium } from "./drivers.js";
import { packaged, peer, requests } from "./support.js";

const RETRY = { attempts: 3, backoff: 0.01, backoffMax: 0.02 };
const TRANSPORTS = ["memory", "fetch", "node:http", "Chromium"];

withChromium();

/** A registry where the first requests of a kind meet a fault; verbs of a client of it; and how often it struck. */
async function spoilt(t, transport, [method, part, fault], times = 1, options = {}) {
  let left = times;
  // A page may read what goes wrong as well.
  const told = fault.status === null ? fault : { ...fault, headers: { ...SHARED, ...fault.headers } };
  const faults = (asked, target) => (asked === method && target.includes(part) && left-- > 0 ? told : undefined);
  const { username, password } = options;
  const settings = { credentials: username ? { username, password } : null, retry: RETRY };
  const struck = () => times - Math.max(0, left);
  if (transport !== "memory") {
    const { host } = await registry(t, { ...options, faults });
    return { ask: (...call) => drive(transport, settings, ...call), charts: `oci://${host}/charts`, struck };
  }
  const made = new Registry({ ...options, faults });
  const client = new Client({ ...settings, plainHttp: true, fetch: made.fetch });
  t.after(() => client.close());
  const ask = (verb, ...words) => client[verb](...words.map((word) => (word === CHART ? packaged.data : word)));
  return { ask, charts: `oci://${made.host}/charts`, struck };
}

const MENDED = {
  "a 503": ["GET", "/blobs/", {}],
  "a page in place of an error": ["GET", "/blobs/", { status: 500, body: "<html>oops</html>", headers: { "content-type": "text/html" } }],
  "too many requests": ["GET", "/manifests/", { status: 429, headers: { "retry-after": "0.01" } }],
  "a reset before the answer": ["GET", "/manifests/", { reset: true }],
  "a short body": ["GET", "/blobs/", { status: null, short: 100 }],
  "a slow body": ["GET", "/blobs/", { status: null, drip: 0.001 }],
  "a missing digest": ["GET", "/manifests/", { status: null, headers: { "docker-content-digest": "" } }],
  "an upload that was not opened": ["POST", "/uploads/", { reset: true }],
  "an upload's lost answer": ["PUT", "/uploads/", { status: null, reset: true }],
  "a manifest's lost answer": ["PUT", "/manifests/", { status: null, reset: true }],
  "an upload without a Docker-Upload-UUID": ["POST", "/uploads/", { status: null, headers: { "docker-upload-uuid": "" } }],
};

const TOLD = {
  "another manifest": [["GET", "/manifests/", { status: null, flip: true }], undefined],
  "another blob": [["GET", "/blobs/", { status: null, flip: true }], "integrity"],
  "another digest": [
    ["GET", "/manifests/", { status: null, headers: { "docker-content-digest": `sha256:${"0".repeat(64)}` } }],
    "integrity",
  ],
  "a page in place of a manifest": [
    ["GET", "/manifests/", { status: 200, body: "<html>log in</html>", headers: { "content-type": "text/html" } }],
    undefined,
  ],
  "a refusal": [["GET", "/blobs/", { status: 403 }], "denied"],
  "nothing": [["GET", "/manifests/", { status: 404 }], "not_found"],
};

for (const transport of TRANSPORTS) {
  const skip = transport === "Chromium" && !chromium && "no Chromium";
  for (const [name, [method, part, fault, times = 1]] of Object.entries(MENDED)) {
    test(`${name} is mended, by ${transport}`, { skip }, async (t) => {
      const { ask, charts, struck } = await spoilt(t, transport, [method, part, fault], times);
      const { reference } = await ask("push", CHART, charts);
      await ask("open", reference);
      assert.ok(struck() > 0);
    });
  }
  for (const [name, [fault, kind]] of Object.entries(TOLD)) {
    test(`${name} is told, by ${transport}`, { skip }, async (t) => {
      const { ask, charts } = await spoilt(t, transport, fault, 100);
      const { reference } = await ask("push", CHART, charts);
      await assert.rejects(ask("open", reference), (error) => kind === undefined || error.kind === kind);
    });
  }
  test(`a token that expires is asked for again, by ${transport}`, { skip }, async (t) => {
    const options = { username: "ada", password: "secret", token: true, tokenLifetime: 1 };
    const { ask, charts } = await spoilt(t, transport, ["GET", "never", {}], 1, options);
    const { reference } = await ask("push", CHART, charts);
    await pause(1100);
    await ask("open", reference);
  });
}

for (const transport of ["memory", "fetch", "node:http"]) {
  test(`a chart that is too large for one request goes up in pieces, by ${transport}`, async (t) => {
    const chart = await pack({ "Chart.yaml": "apiVersion: v2\nname: large\nversion: 1.0.0\n", noise: randomBytes(5 << 20) });
    const limit = { status: 413, above: 2 << 20 };
    const asked = [];
    const faults = (method) => (asked.push(method), limit);
    const made = new Registry({ faults });
    if (transport !== "memory") await made.listen();
    t.after(() => made.close());
    const fetch = { memory: made.fetch, fetch: globalThis.fetch }[transport];
    const client = new Client({ credentials: null, plainHttp: true, retry: RETRY, ...(fetch ? { fetch } : {}) });
    t.after(() => client.close());
    const { reference } = await client.push(chart, `oci://${made.host}/charts`);
    assert.deepEqual((await client.pull(reference)).archive, chart.data);
    assert.ok(asked.filter((method) => method === "PATCH").length > 2, asked.join());
  });
}

for (const transport of ["fetch", "node:http"]) {
  const made = (options) => new Client({ credentials: null, retry: { attempts: 1 }, ...(transport === "fetch" ? { fetch } : {}), ...options });

  test(`repeated headers, early hints and a redirect are passed on as they came, by ${transport}`, async (t) => {
    const heads = [];
    const { host } = await peer(t, (socket) =>
      requests(socket, (head) => {
        heads.push(head);
        const answer = heads.length === 1
          ? `HTTP/1.1 103 X\r\nlink: </x>\r\n\r\nHTTP/1.1 307 X\r\nlocation: http://${host}/v2/elsewhere/tags/list\r\n`
          : "HTTP/1.1 401 X\r\nwww-authenticate: Negotiate\r\nwww-authenticate: Basic realm=a\r\n";
        socket.write(`${answer}content-length: 0\r\n\r\n`);
      }),
    );
    const client = made({ credentials: { username: "ada", password: "secret" } });
    t.after(() => client.close());
    await assert.rejects(client.tags(`${host}/charts/web`), (error) => error.kind === "denied");
    assert.ok(heads[1].startsWith("GET /v2/elsewhere/tags/list "));
    // Both challenges were read: the second one was answered.
    assert.ok(heads.some((head) => /^authorization: basic /im.test(head)), heads.join("\n"));
  });
}
