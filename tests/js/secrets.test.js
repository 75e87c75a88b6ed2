// Where secrets go: to the registry and the token server that it may name, to nobody else, and into no message.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { test } from "node:test";
import { inspect } from "node:util";

import { collect } from "../../bindings-wasm/js/blobs.js";
import { Archive, Artifact, Client } from "../../bindings-wasm/js/node.js";
import { Registry } from "../../bindings-wasm/js/node-testing.js";
import { failing, packaged } from "./support.js";

const [USER, SECRET, TOKEN, SIGNATURE] = ["ada", "hunter2-password", "t0ken-of-the-server", "s1gned-by-the-store"];
const BASIC = Buffer.from(`${USER}:${SECRET}`).toString("base64");

/** An origin of its own on loopback: its port, and what it sees. `answer(method, path)` gives status, headers, body. */
async function origin(t, answer) {
  const seen = [];
  const server = http.createServer(async (request, response) => {
    const { method, url, headers } = request;
    const body = await collect(request);
    seen.push({ method, path: url, authorization: headers.authorization });
    const [status, fields = {}, data = ""] = await answer(method, url, headers, body);
    response.writeHead(status, { "content-length": Buffer.byteLength(data), ...fields }).end(method === "HEAD" ? undefined : data);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: server.address().port, seen };
}

/** A registry in memory behind an origin; `fault(method, path)` may answer in its place. */
function guarded(t, fault, options = { username: USER, password: SECRET }) {
  const registry = new Registry(options);
  return origin(t, (method, target, headers, body) => {
    const given = fault(method, target);
    if (given) return given;
    const pairs = Object.entries(headers).map(([name, value]) => [name, String(value)]);
    const answer = registry.serve({ method, target, headers: pairs }, body);
    return [answer.status, Object.fromEntries(answer.headers), answer.body ?? ""];
  });
}

function connect(t, options) {
  const client = new Client({ credentials: [USER, SECRET], retry: { attempts: 1 }, ...options });
  t.after(() => client.close());
  return client;
}

const authorizations = ({ seen }) => seen.map(({ authorization }) => authorization);
const TAGS = JSON.stringify({ tags: [] });
const ask = (challenge) => [401, { "www-authenticate": challenge }];

for (const host of ["127.0.0.1", "localhost"]) {
  test(`a redirect to another origin (${host}) takes no credential along`, async (t) => {
    const store = await origin(t, () => [200, {}, Buffer.from(packaged.data)]);
    const artifact = await Artifact.build(await Archive.read(packaged.data));
    const { digest } = JSON.parse(Buffer.from(artifact.manifest)).layers[0];
    const location = `http://${host}:${store.port}/blob?signature=${SIGNATURE}`;
    const registry = await guarded(t, (method, path) => method === "GET" && path.includes(digest) && [307, { location }]);
    const client = connect(t);
    const { reference } = await client.push(packaged, `oci://127.0.0.1:${registry.port}/charts`);
    assert.deepEqual((await client.pull(reference)).archive, packaged.data);
    assert.deepEqual(authorizations(store), [undefined]);
  });
}

test("a redirect on the same origin keeps the credential", async (t) => {
  let first = true;
  const registry = await origin(t, (method, path) => {
    if (first) {
      first = false;
      return ask('Basic realm="x"');
    }
    return path.includes("/web/") ? [307, { location: "/v2/other/tags/list" }] : [200, {}, TAGS];
  });
  await connect(t).tags(`127.0.0.1:${registry.port}/web`);
  assert.deepEqual(authorizations(registry), [undefined, `Basic ${BASIC}`, `Basic ${BASIC}`]);
});

test("an upload to another origin takes no credential along", async (t) => {
  const store = await origin(t, () => [201]);
  const location = `http://127.0.0.1:${store.port}/upload?signature=${SIGNATURE}`;
  let first = true;
  const registry = await origin(t, (method) => {
    if (first) {
      first = false;
      return ask('Basic realm="x"');
    }
    return method === "POST" ? [202, { location }] : [201];
  });
  await connect(t).push(packaged, `oci://127.0.0.1:${registry.port}/charts`);
  assert.deepEqual([...new Set(store.seen.map(({ method }) => method))], ["PUT"]);
  assert.ok(authorizations(store).every((authorization) => authorization === undefined));
});

for (const realm of [
  "http://169.254.169.254/latest/token",
  "http://10.0.0.1/token",
  "http://user:pw@127.0.0.1:PORT/token",
  "http://[::ffff:127.0.0.1]:PORT/token",
  "http://localhost.:PORT/token",
  "http://2130706433:PORT/token",
  "http://0.0.0.0:PORT/token",
  "ftp://127.0.0.1:PORT/token",
  "//127.0.0.1:PORT/token",
]) {
  test(`a token server where none may be is never asked: ${realm}`, async (t) => {
    const server = await origin(t, () => [200, {}, "{}"]);
    const registry = await origin(t, () => ask(`Bearer realm="${realm.replace("PORT", server.port)}",service="x"`));
    const error = await failing(() => connect(t).tags(`127.0.0.1:${registry.port}/web`));
    assert.equal(error.code, "auth.realm");
    assert.deepEqual([server.seen, authorizations(registry)], [[], [undefined]]);
    assert.ok(!inspect(error, { depth: 9 }).includes("pw@"));
  });
}

test("the password goes to the token server and the token to the registry", async (t) => {
  const third = await origin(t, () => [200, {}, JSON.stringify({ token: TOKEN })]);
  for (const moved of [false, true]) {
    const location = `http://127.0.0.1:${third.port}/token`;
    const server = await origin(t, () => (moved ? [307, { location }] : [200, {}, JSON.stringify({ token: TOKEN })]));
    let first = true;
    const registry = await origin(t, () => {
      if (!first) return [200, {}, TAGS];
      first = false;
      return ask(`Bearer realm="http://127.0.0.1:${server.port}/token"`);
    });
    await connect(t).tags(`127.0.0.1:${registry.port}/web`);
    assert.deepEqual(authorizations(server), [`Basic ${BASIC}`]);
    assert.deepEqual(authorizations(registry), [undefined, `Bearer ${TOKEN}`]);
  }
  assert.deepEqual(authorizations(third), [undefined], "a redirect hands nothing on");
});

for (const token of [false, true]) {
  test(`nothing that a client says holds a secret, ${token ? "Bearer" : "Basic"}`, async (t) => {
    let fault = () => undefined;
    const registry = await guarded(t, (...request) => fault(...request), { username: USER, password: SECRET, token });
    const said = [];
    const tell = async (client, verb, ...given) => {
      try {
        said.push(inspect(await client[verb](...given), { depth: 9 }));
      } catch (error) {
        said.push(inspect(error, { depth: 9, showHidden: true }), String(error.stack), JSON.stringify(error));
      }
      said.push(inspect(client, { depth: 9, showHidden: true }));
    };
    const charts = `oci://127.0.0.1:${registry.port}/charts`;
    await connect(t).push(packaged, charts);
    const location = `http://127.0.0.1:1/store?signature=${SIGNATURE}`;
    for (const answer of [
      [200, {}, TAGS],
      [500],
      [403, {}, "no"],
      [307, { location }],
      [200, {}, "<html>"],
      [200, {}, JSON.stringify({ token: `${TOKEN}\r\n` })],
      [200, {}, JSON.stringify({ token: TOKEN })],
    ]) {
      for (const place of ["/v2/charts/web/tags", "/token"]) {
        fault = (method, path) => path.startsWith(place) && answer;
        await tell(connect(t), "tags", `${charts}/web`);
      }
    }
    fault = () => undefined;
    for (const credentials of [[USER, `${SECRET}x`], SECRET, { identityToken: SECRET }, { username: USER, password: 5 }]) {
      await tell(connect(t, { credentials }), "push", packaged, charts);
    }
    const everything = said.join("\n");
    for (const secret of [SECRET, BASIC, TOKEN, SIGNATURE]) assert.ok(!everything.includes(secret), secret);
  });
}
