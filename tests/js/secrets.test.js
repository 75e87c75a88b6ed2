// Where secrets go: to the registry and the token server that it may name, to nobody else, and into no message.

import assert from "node:assert/strict";

import { Archive, Artifact } from "../../bindings-wasm/js/node.js";
import { Registry } from "../../bindings-wasm/js/node-testing.js";
import { CHART, carry, codeOf, complaints, drive, everyDriver, origin, withChromium } from "./drivers.js";
import { failing, packaged } from "./support.js";

const [USER, SECRET, TOKEN, SIGNATURE] = ["ada", "hunter2-password", "t0ken-of-the-server", "s1gned-by-the-store"];
const BASIC = Buffer.from(`${USER}:${SECRET}`).toString("base64");
const KNOWN = { credentials: { username: USER, password: SECRET } };

withChromium();

/** A registry in memory behind an origin; `fault(method, path)` may answer in its place. */
function guarded(t, fault, options = { username: USER, password: SECRET }) {
  const registry = new Registry(options);
  return origin(t, (method, target, fields, body) => {
    const given = fault(method, target);
    if (given) return given;
    // It is asked as if by a program: who may read its answers, the origin before it says.
    const { origin: page, ...own } = fields;
    const headers = Object.entries(own).map(([name, value]) => [name, String(value)]);
    const answer = registry.serve({ method, target, headers }, body);
    return [answer.status, Object.fromEntries(answer.headers), answer.body ?? ""];
  });
}

const authorizations = ({ seen }) => seen.map(({ authorization }) => authorization);
const TAGS = JSON.stringify({ tags: [] });
const ask = (challenge) => [401, { "www-authenticate": challenge }];

for (const host of ["127.0.0.1", "localhost"]) {
  everyDriver(`T-CRED-1: a redirect to another origin (${host}) takes no credential along`, async (t, _, driver) => {
    const store = await origin(t, () => [200, {}, Buffer.from(packaged.data)]);
    const artifact = await Artifact.build(await Archive.read(packaged.data));
    const { digest } = JSON.parse(Buffer.from(artifact.manifest)).layers[0];
    const location = `http://${host}:${store.port}/blob?signature=${SIGNATURE}`;
    const moved = (method, path) => method === "GET" && path.includes(digest) && [307, { location }];
    const registry = await guarded(t, moved);
    const { reference } = await drive(driver, KNOWN, "push", CHART, `oci://${registry.host}/charts`);
    assert.deepEqual(await drive(driver, KNOWN, "open", reference), { data: digest });
    assert.deepEqual(authorizations(store), [undefined]);
  });
}

everyDriver("T-CRED-1: a redirect on the same origin keeps the credential", async (t, _, driver) => {
  let first = true;
  const registry = await origin(t, (method, path) => {
    if (first) {
      first = false;
      return ask('Basic realm="x"');
    }
    return path.includes("/web/") ? [307, { location: "/v2/other/tags/list" }] : [200, {}, TAGS];
  });
  await drive(driver, KNOWN, "tags", `${registry.host}/web`);
  assert.deepEqual(authorizations(registry), [undefined, `Basic ${BASIC}`, `Basic ${BASIC}`]);
});

everyDriver("T-CRED-1: a login that a redirect leads to gets no credential", async (t, _, driver) => {
  const there = await origin(t, () => ask('Basic realm="mine"'));
  const location = `http://${there.host}/v2/web/tags/list`;
  const here = await origin(t, () => [307, { location }]);
  assert.equal(await codeOf(drive(driver, KNOWN, "tags", `${here.host}/web`)), "auth.foreign");
  assert.ok(there.seen.length > 0 && authorizations(there).every((authorization) => authorization === undefined));
});

everyDriver("T-CRED-2: an upload to another origin takes no credential along", async (t, _, driver) => {
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
  await drive(driver, KNOWN, "push", CHART, `oci://${registry.host}/charts`);
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
  everyDriver(`T-CRED-3: a token server where none may be is never asked: ${realm}`, async (t, _, driver) => {
    const server = await origin(t, () => [200, {}, "{}"]);
    const registry = await origin(t, () => ask(`Bearer realm="${realm.replace("PORT", server.port)}",service="x"`));
    const error = await failing(() => drive(driver, KNOWN, "tags", `${registry.host}/web`));
    assert.equal(error.code, "auth.realm");
    assert.deepEqual([server.seen, authorizations(registry)], [[], [undefined]]);
    assert.ok(!JSON.stringify(error).includes("pw@"));
  });
}

everyDriver("T-CRED-3: the password goes to the token server and the token to the registry", async (t, _, driver) => {
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
    await drive(driver, KNOWN, "tags", `${registry.host}/web`);
    assert.deepEqual(authorizations(server), [`Basic ${BASIC}`]);
    assert.deepEqual(authorizations(registry), [undefined, `Bearer ${TOKEN}`]);
  }
  assert.deepEqual(authorizations(third), [undefined], "a redirect hands nothing on");
});

for (const token of [false, true]) {
  const way = token ? "Bearer" : "Basic";
  everyDriver(`T-SECRET-1: nothing that a client says holds a secret, ${way}`, async (t, _, driver) => {
    let fault = () => undefined;
    const registry = await guarded(t, (...request) => fault(...request), { username: USER, password: SECRET, token });
    const said = [];
    const tell = async (options, ...call) => {
      const { outcomes, ...rest } = await carry(driver, { options, calls: [call] });
      said.push(outcomes[0].said, JSON.stringify(outcomes[0]), rest.said);
    };
    const charts = `oci://${registry.host}/charts`;
    await drive(driver, KNOWN, "push", CHART, charts);
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
        await tell(KNOWN, "tags", `${charts}/web`);
      }
    }
    fault = () => undefined;
    const wrong = [[USER, `${SECRET}x`], SECRET, { identityToken: SECRET }, { username: USER, password: 5 }];
    for (const credentials of wrong) {
      await tell({ credentials }, "push", CHART, charts);
    }
    const everything = said.join("\n");
    assert.ok(everything.includes("auth.refused") && everything.includes("registry.failed"));
    for (const secret of [SECRET, BASIC, TOKEN, SIGNATURE]) assert.ok(!everything.includes(secret), secret);
    for (const secret of [SECRET, BASIC, TOKEN]) assert.ok(!complaints().join("\n").includes(secret), secret);
  });
}
