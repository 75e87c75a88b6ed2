// What goes wrong with a registry, over each transport: its own fetch in memory, Node's fetch, and node:http.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Client } from "../../bindings-wasm/js/node.js";
import { Registry } from "../../bindings-wasm/js/node-testing.js";
import { packaged, peer, requests } from "./support.js";

const RETRY = { attempts: 3, backoff: 0.01, backoffMax: 0.02 };
const TRANSPORTS = ["memory", "fetch", "node:http"];

/** A registry where the first request of a kind meets a fault; and a client of it. */
async function spoilt(t, transport, [method, part, fault], times = 1, options = {}) {
  let left = times;
  const faults = (asked, target) => (asked === method && target.includes(part) && left-- > 0 ? fault : undefined);
  const registry = new Registry({ ...options, faults });
  if (transport !== "memory") {
    await registry.listen();
    t.after(() => registry.close());
  }
  const fetch = { memory: registry.fetch, fetch: globalThis.fetch }[transport];
  const credentials = options.username ? { username: options.username, password: options.password } : null;
  const client = new Client({ credentials, retry: RETRY, plainHttp: true, ...(fetch ? { fetch } : {}) });
  t.after(() => client.close());
  return { client, charts: `oci://${registry.host}/charts`, struck: () => times - Math.max(0, left) };
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
  for (const [name, fault] of Object.entries(MENDED)) {
    test(`${name} is mended, by ${transport}`, async (t) => {
      const { client, charts, struck } = await spoilt(t, transport, fault);
      const pushed = await client.push(packaged.data, charts);
      assert.deepEqual((await client.pull(pushed.reference)).archive, packaged.data);
      assert.equal(struck(), 1);
    });
  }
  for (const [name, [fault, kind]] of Object.entries(TOLD)) {
    test(`${name} is told, by ${transport}`, async (t) => {
      const { client, charts } = await spoilt(t, transport, fault, 100);
      const pushed = await client.push(packaged.data, charts);
      await assert.rejects(client.open(pushed.reference), (error) => kind === undefined || error.kind === kind);
    });
  }
  test(`a token that expires is asked for again, by ${transport}`, async (t) => {
    const options = { username: "ada", password: "secret", token: true, tokenLifetime: 1 };
    const { client, charts } = await spoilt(t, transport, ["GET", "never", {}], 1, options);
    const pushed = await client.push(packaged.data, charts);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    assert.deepEqual((await client.open(pushed.reference)).data, packaged.data);
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
