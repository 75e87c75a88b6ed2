// Registries that mean no good, or are plainly wrong, asked by each driver: what a table of bad answers cannot say.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { gzipSync } from "node:zlib";

import { Client } from "../../bindings-wasm/js/node.js";
import { pinned, serve } from "./browser.js";
import { CHART, SHARED, carry, codeOf, drive, everyDriver, everyNode, lines, open } from "./drivers.js";
import { origin, raw, registry, withChromium } from "./drivers.js";
import { certificates, failing, packaged, temporary } from "./support.js";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const CONFIG = "application/vnd.cncf.helm.config.v1+json";
const LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const NOUGHT = `sha256:${"0".repeat(64)}`;

const skip = !existsSync("/usr/bin/openssl") && "no openssl";
const directories = ["known", "unknown"].map((name) => join(tmpdir(), `chartoci-${process.pid}-${name}`));
const tls = {};
withChromium(() => {
  if (skip) return [];
  for (const directory of directories) mkdirSync(directory);
  [tls.known, tls.unknown] = directories.map(certificates);
  return pinned(tls.known.cert);
});
after(() => directories.forEach((directory) => rmSync(directory, { recursive: true, force: true })));

const hashed = (data, algorithm = "sha256") => `${algorithm}:${createHash(algorithm).update(data).digest("hex")}`;
const DIGEST = hashed(packaged.data);

function manifestOf(layer, config = "{}") {
  const described = (mediaType, data) => ({ mediaType, digest: hashed(data), size: data.length });
  return JSON.stringify({ schemaVersion: 2, config: described(CONFIG, config), layers: [described(LAYER, layer)] });
}
const served = (body) => [200, { "content-type": MANIFEST }, body];

/** A registry whose blobs lie elsewhere. */
const leading = (t, location, manifest) =>
  origin(t, (method, path) => (path.includes("/blobs/") ? [307, { location }] : served(manifest)));

/** A list of tags in so many pages. */
const paged = (page, pages) => (method, path) => {
  const number = Number(/page=(\d+)/.exec(path)?.[1] ?? 0);
  const link = number + 1 < pages ? { link: `</v2/web/tags/list?page=${number + 1}>; rel=next` } : {};
  return [200, link, JSON.stringify({ tags: page(number) })];
};

everyDriver("T-PAGE-1: pages without end end", async (t, ask) => {
  const { host, seen } = await origin(t, paged(() => [], Infinity));
  assert.equal(await codeOf(ask("tags", `${host}/web`)), "limit.pages");
  assert.equal(seen.length, 1000);
});

everyDriver("T-PAGE-1: what is repeated counts once, and what is no version is set aside", async (t, ask) => {
  const odd = ["latest", "sha256-ab.sig", "1.0.0", "v1.0.1", "1.0", "1.2.0_b1", "1.0.0"];
  const { host } = await origin(t, paged(() => odd, 3));
  assert.deepEqual(await ask("tags", `${host}/web`), odd.slice(0, -1));
  assert.deepEqual(await ask("versions", `${host}/web`, "*"), ["1.2.0+b1", "1.0.0"]);
});

everyDriver("T-DIGEST-1: the digest in the reference governs", async (t, ask) => {
  const { host } = await registry(t);
  const { reference, digest } = await ask("push", CHART, `oci://${host}/charts`);
  await ask("copy", reference, `${host}/charts/web:other`);
  assert.deepEqual(await ask("open", `${host}/charts/web:other@${digest}`), { data: DIGEST });
  assert.equal(await codeOf(ask("open", `${host}/charts/web:other@${NOUGHT}`)), "registry.manifest_unknown");
});

everyDriver("T-DIGEST-1: a manifest that is another than was asked for is refused", async (t, ask) => {
  const { host } = await origin(t, () => served(manifestOf("layer")));
  assert.equal(await codeOf(ask("artifact", `${host}/web@${NOUGHT}`)), "integrity.digest_mismatch");
});

everyDriver("T-DIGEST-1: bytes are verified behind a redirect as well", async (t, ask) => {
  const store = await origin(t, () => [200, {}, "TEN BYTES."]);
  const { host } = await leading(t, `http://${store.host}/blob`, manifestOf("ten bytes."));
  assert.equal(await codeOf(ask("pull", `${host}/web:1.0.0`)), "integrity.digest_mismatch");
  assert.equal(store.seen.length, 1);
});

everyDriver("T-DIGEST-1: sha512 is verified by its own algorithm", async (t, ask) => {
  const body = manifestOf("layer");
  const named = hashed(body, "sha512");
  const right = await origin(t, () => served(body));
  assert.equal((await ask("artifact", `${right.host}/web@${named}`)).manifest, hashed(body));
  const wrong = await origin(t, () => served(`${body} `));
  assert.equal(await codeOf(ask("artifact", `${wrong.host}/web@${named}`)), "integrity.digest_mismatch");
});

everyDriver("T-SIZE-1: a manifest without end is not read to its end", async (t, ask) => {
  let sent = 0;
  const { host } = await raw(t, (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\n${lines(SHARED)}transfer-encoding: chunked\r\n\r\n`);
    const piece = `10000\r\n${" ".repeat(65536)}\r\n`;
    const more = () => {
      while (!socket.destroyed && socket.write(piece)) sent += piece.length;
    };
    socket.on("drain", more);
    more();
  });
  assert.equal(await codeOf(ask("artifact", `${host}/web:1.0.0`)), "limit.body");
  assert.ok(sent < 64 << 20, String(sent));
});

everyDriver("T-SIZE-1: a slow drip is given up when the time for the whole is over", async (t, ask) => {
  const { host } = await raw(t, async (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\n${lines(SHARED)}content-length: 100000\r\n\r\n`);
    for (; !socket.destroyed; await pause(50)) socket.write(" ");
  });
  const begin = performance.now();
  assert.equal(await codeOf(ask("artifact", `${host}/web:1.0.0`, { timeout: 0.4 })), "transport.timeout");
  assert.ok(performance.now() - begin < 2000);
});

test("T-SIZE-1: what is small by nature does not drip for ever", async (t) => {
  // It has 30 seconds, on a clock that runs a hundred times as fast.
  const real = performance.now.bind(performance);
  t.mock.method(performance, "now", () => 100 * real());
  const dripping = { "200 OK": "transport.timeout", "404 Not Found": "registry.manifest_unknown" };
  for (const [status, code] of Object.entries(dripping)) {
    const { host } = await raw(t, async (socket) => {
      socket.write(`HTTP/1.1 ${status}\r\n${lines(SHARED)}content-length: 100000\r\n\r\n`);
      for (; !socket.destroyed; await pause(50)) socket.write(" ");
    });
    const client = new Client({ credentials: null, retry: { attempts: 1 } });
    t.after(() => client.close());
    const begin = real();
    assert.equal((await failing(() => client.artifact(`${host}/web:1.0.0`))).code, code);
    assert.ok(real() - begin < 5000, status);
  }
});

everyDriver("T-SIG-2: ten thousand referrers are too many", async (t, ask) => {
  const entry = (_, at) => ({ mediaType: MANIFEST, digest: hashed(String(at)), size: 1 });
  const manifests = Array.from({ length: 10_000 }, entry);
  const { host } = await origin(t, () => [200, {}, JSON.stringify({ schemaVersion: 2, manifests })]);
  assert.match(await codeOf(ask("referrers", `${host}/web@${NOUGHT}`)), /^limit\./);
});

everyDriver("T-TOCTOU-1: what was resolved is what is pulled though the tag moves", async (t, ask) => {
  const { host } = await registry(t);
  const first = await ask("push", CHART, `oci://${host}/charts`);
  const { reference } = await ask("resolve", first.reference);
  const other = await ask("push", CHART, `oci://${host}/charts`, { created: "2001-09-09T01:46:40Z" });
  assert.notEqual(other.digest, first.digest);
  assert.equal((await ask("pull", reference)).digest, first.digest);
  assert.equal(await codeOf(ask("pull", reference, { checkTag: true })), "integrity.tag_mismatch");
});

/** A registry that remembers who wrote manifests, and other lines. */
async function written(t, fault = () => undefined) {
  const asked = [];
  const faults = (method, target) => {
    asked.push(`${method} ${target}`);
    return fault(method, target);
  };
  const { host } = await registry(t, { faults });
  const tagged = () => asked.filter((line) => /^PUT .*\/manifests\//.test(line));
  return { charts: `oci://${host}/charts`, asked, tagged };
}

everyDriver("T-PUSH-1: what is there is left alone where that was asked for", async (t, ask) => {
  const { charts, tagged } = await written(t);
  assert.equal((await ask("push", CHART, charts, { ifExists: "refuse" })).skipped, false);
  assert.equal(await codeOf(ask("push", CHART, charts, { ifExists: "refuse" })), "registry.exists");
  assert.equal((await ask("push", CHART, charts, { ifExists: "skip-same" })).skipped, true);
  assert.equal(tagged().length, 1);
});

everyDriver("T-PUSH-1: a push that fails leaves no tag", async (t, ask) => {
  const refused = { status: 403, headers: SHARED };
  const fault = (method, target) => (method === "PUT" && target.includes("/blobs/") ? refused : undefined);
  const { charts, asked, tagged } = await written(t, fault);
  assert.equal(await codeOf(ask("push", CHART, charts)), "auth.forbidden");
  assert.deepEqual(tagged(), []);
  assert.ok(asked.some((line) => line.startsWith("DELETE ")), "what was begun is dropped");
});

everyDriver("T-PUSH-1: pushes of one chart at once leave it whole", async (t, ask, driver) => {
  const { host } = await registry(t);
  const calls = Array.from({ length: 4 }, () => ["push", CHART, `oci://${host}/charts`]);
  const { outcomes } = await carry(driver, { calls });
  assert.deepEqual([...new Set(outcomes.map(({ result }) => result?.tag))], ["1.2.0_demo.1"]);
  assert.deepEqual(await ask("open", `${host}/charts/web:1.2.0_demo.1`), { data: DIGEST });
});

everyDriver("T-TOKEN-1: verbs at once share one token", async (t, ask, driver) => {
  const asked = [];
  const faults = (method, target) => void (method !== "OPTIONS" && asked.push(target));
  const options = { credentials: { username: "ada", password: "secret" } };
  const { host } = await registry(t, { username: "ada", password: "secret", token: true, faults });
  const { reference } = await drive(driver, options, "push", CHART, `oci://${host}/charts`);
  asked.length = 0;
  const { outcomes } = await carry(driver, { options, calls: [1, 2, 3].map(() => ["open", reference]) });
  assert.deepEqual(outcomes.map(({ result }) => result), [1, 2, 3].map(() => ({ data: DIGEST })));
  assert.equal(asked.filter((target) => target.startsWith("/token")).length, 1, asked.join("\n"));
});

everyDriver("T-TOKEN-1: a token may be anything that fits a header, and no more", async (t, ask) => {
  for (const [token, code] of [
    ["a".repeat(8000), undefined],
    [".".repeat(100_000), undefined],
    ["x\r\nEvil: 1", "auth.token"],
    ["", "auth.token"],
    ["a b", "auth.token"],
  ]) {
    const { host, seen } = await origin(t, (method, path, { host }) =>
      path.startsWith("/token")
        ? [200, {}, JSON.stringify({ token })]
        : [401, { "www-authenticate": `Bearer realm="http://${host}/token"` }],
    );
    const error = await failing(() => ask("tags", `${host}/web`));
    if (code) assert.equal(error.code, code);
    assert.ok(seen.length <= 5);
    assert.ok(token === "" || !JSON.stringify(error).includes(token));
  }
});

for (const way of ["node:http", "fetch"]) {
  test(`T-SSRF-1: whoever is not allowed is not connected to, by ${way}`, async (t) => {
    const inner = await origin(t, () => [200, {}, "secret"]);
    const { host } = await leading(t, `http://${inner.host}/latest/meta-data`, manifestOf("secret"));
    const asked = [];
    const allow = (name, ip, port) => {
      asked.push([name, ip, port]);
      return `${name}:${port}` !== inner.host;
    };
    const client = new Client({ credentials: null, allow, ...(way === "fetch" ? { fetch } : {}) });
    t.after(() => client.close());
    const error = await failing(() => client.pull(`${host}/web:1.0.0`));
    assert.deepEqual([error.kind, error.code], ["denied", "transport.forbidden"]);
    assert.deepEqual(inner.seen, []);
    assert.ok(asked.length >= 2);
  });
}

everyDriver(
  "T-SSRF-1: whom a page's policy does not name is not connected to, redirects included",
  async (t, ask, driver) => {
    const inner = await origin(t, () => [200, {}, "secret"]);
    const { host } = await leading(t, `http://${inner.host}/latest/meta-data`, manifestOf("secret"));
    const site = await serve(`'self' http://${host}`);
    t.after(() => site.close());
    const { outcomes } = await carry(driver, { calls: [["pull", `${host}/web:1.0.0`]] }, await open(site.origin));
    assert.equal(outcomes[0].error.code, "transport.connect");
    assert.deepEqual(inner.seen, []);
  },
  ["Chromium"],
);

everyDriver("T-SSRF-1: a page of tags or referrers never leads to another host", async (t, ask) => {
  const inner = await origin(t, () => [200, {}, "{}"]);
  const link = `<http://${inner.host}/next>; rel=next`;
  const { host } = await origin(t, () => [200, { link }, '{"tags":["1.0.0"],"manifests":[]}']);
  assert.equal(await codeOf(ask("tags", `${host}/web`)), "protocol.link");
  assert.equal(await codeOf(ask("referrers", `${host}/web@${NOUGHT}`)), "protocol.link");
  assert.deepEqual(inner.seen, []);
});

everyNode("T-PATH-2: a chart whose name is a sibling of the directory stays in it", async (t, ask) => {
  const [{ host }, directory] = [await registry(t), temporary(t)];
  const { reference } = await ask("push", CHART, `oci://${host}/charts`);
  const [out, sibling] = ["out", "out-evil"].map((name) => join(directory, name));
  mkdirSync(sibling);
  await ask("pull", reference, { directory: out, untar: true });
  await ask("pull", reference, { directory: out });
  assert.deepEqual(readdirSync(sibling), []);
  assert.deepEqual(readdirSync(out).sort(), ["web", packaged.filename]);
});

everyDriver("T-PATH-2: a page has no directories, and says so", async (t, ask) => {
  assert.equal(await codeOf(ask("pull", "127.0.0.1:1/web:1.0.0", { directory: "out" })), "misuse.argument");
}, ["Chromium"]);

everyDriver(
  "T-TLS-1: who is believed is the same for registries, token servers and redirects",
  async (t, _, driver) => {
    if (skip) return t.skip(skip);
    const secure = ({ cert, key }, answer) =>
      origin(t, answer, https.createServer({ cert: readFileSync(cert), key: readFileSync(key) }));
    const stranger = await secure(tls.unknown, () => [200, {}, JSON.stringify({ token: "t", tags: [] })]);
    const plain = await origin(t, () => [200, {}, "{}"]);
    const page = driver === "Chromium";
    const own = page ? { plainHttp: false } : { caFile: tls.known.ca };
    const options = { credentials: { username: "ada", password: "secret" }, ...own };
    for (const [answer, code] of [
      [() => [200, {}, JSON.stringify({ tags: [] })], undefined],
      [() => [401, { "www-authenticate": `Bearer realm="https://${stranger.host}/token"` }], "transport.tls"],
      [() => [307, { location: `https://${stranger.host}/v2/web/tags/list` }], "transport.tls"],
      [() => [307, { location: `http://${plain.host}/v2/web/tags/list` }], "protocol.redirect"],
      [() => [401, { "www-authenticate": `Bearer realm="http://${plain.host}/token"` }], "auth.realm"],
    ]) {
      const { host } = await secure(tls.known, answer);
      const asking = drive(driver, options, "tags", `${host}/web`);
      // A page is told of a bad certificate as of an absent host.
      if (code) assert.equal(await codeOf(asking), page && code === "transport.tls" ? "transport.connect" : code);
      else assert.deepEqual(await asking, []);
    }
    // A browser has followed the redirect before it says so: without the credential.
    assert.deepEqual(stranger.seen, []);
    assert.deepEqual(plain.seen.map(({ authorization }) => authorization), page ? [undefined] : []);
  },
  ["node:http", "Chromium"],
);

/** A file of Docker's kind. */
function stored(directory, auths) {
  const path = join(directory, "config.json");
  const entry = (user) => ({ auth: Buffer.from(`${user}:secret`).toString("base64") });
  writeFileSync(path, JSON.stringify({ auths: Object.fromEntries(auths.map((host) => [host, entry(host)])) }));
  return path;
}

everyNode("T-CRED-4: hosts are compared whole, and nobody who is named alike gets a secret", async (t, _, driver) => {
  const registryConfig = stored(temporary(t), ["azurecr.io", "registry.example", "127.0.0.1", "localhost:1", "1"]);
  const guarded = await origin(t, () => [401, { "www-authenticate": 'Basic realm="x"' }]);
  const own = { credentials: undefined, registryConfig };
  // Its entries are for another port, another name, and no port at all.
  assert.equal(await codeOf(drive(driver, own, "tags", `${guarded.host}/web`)), "auth.required");
  assert.ok(guarded.seen.length > 0 && guarded.seen.every(({ authorization }) => authorization === undefined));
  const client = new Client({ registryConfig });
  const who = async (host) => (await client.explainCredentials(`${host}/web`)).username;
  for (const host of [
    "evil.azurecr.io.attacker.com",
    "evil.azurecr.io",
    "azurecr.io.attacker.com",
    "azurecr.io:444",
    "registry.example.evil.test",
    "evil-registry.example",
    "a.registry.example",
    "registry.exampl",
    "xn--registry-example.test",
  ]) {
    assert.equal(await who(host), undefined, host);
  }
  assert.equal(await who("registry.example"), "registry.example");
});

everyDriver("T-CRED-4: a secret is for the registry that the verb names, whole", async (t, _, driver) => {
  const source = await origin(t, () => [401, { "www-authenticate": 'Basic realm="x"' }]);
  const target = await registry(t);
  const options = { credentials: { username: "ada", password: "secret" } };
  const copying = drive(driver, options, "copy", `${source.host}/web:1.0.0`, `${target.host}/web:1.0.0`);
  assert.match(await codeOf(copying), /^auth\./);
  assert.ok(source.seen.length > 0 && source.seen.every(({ authorization }) => authorization === undefined));
});

everyNode("T-CRED-5: a file that is broken never falls through to another's entry", async (t, _, driver) => {
  const guarded = await origin(t, () => [401, { "www-authenticate": 'Basic realm="x"' }]);
  const [directory, docker] = [temporary(t), temporary(t)];
  stored(docker, [guarded.host]);
  const path = join(directory, "config.json");
  const before = { ...process.env };
  t.after(() => Object.assign(process.env, { DOCKER_CONFIG: "", HELM_REGISTRY_CONFIG: "" }, before));
  Object.assign(process.env, { DOCKER_CONFIG: docker, HELM_REGISTRY_CONFIG: path });
  for (const broken of [
    "{",
    "[]",
    '{"auths": []}',
    `{"auths": {"${guarded.host}": "secret"}}`,
    `{"auths": {"${guarded.host}": {"auth": "%%%"}}}`,
    `{"auths": {"${guarded.host}": {"auth": "bm9jb2xvbg=="}}}`,
    `{"auths": {"other.example": {}}, "auths": {"${guarded.host}": 1}}`,
  ]) {
    writeFileSync(path, broken);
    const asking = drive(driver, { credentials: undefined }, "tags", `${guarded.host}/web`);
    assert.equal(await codeOf(asking), "auth.credentials_file", broken);
  }
  assert.ok(guarded.seen.length > 0 && guarded.seen.every(({ authorization }) => authorization === undefined));
});

everyDriver("a registry that packs whatever it may is understood", async (t, ask) => {
  const config = '{"name":"web","version":"1.0.0","apiVersion":"v2"}';
  const { host } = await origin(t, (method, path, headers) => {
    const [, kind] = /\/(tags|blobs|manifests)\//.exec(path);
    const body = { tags: '{"tags":["1.0.0"]}', blobs: config, manifests: manifestOf("", config) }[kind];
    if (!headers["accept-encoding"].includes("gzip")) return [200, { "content-type": MANIFEST }, body];
    // Of these two a page sees the length alone, and that is another's.
    const packed = { "content-encoding": "gzip", "access-control-expose-headers": "Link" };
    return [200, { "content-type": MANIFEST, ...packed }, gzipSync(body)];
  });
  assert.deepEqual(await ask("tags", `${host}/web`), ["1.0.0"]);
  assert.equal((await ask("metadata", `${host}/web:1.0.0`)).name, "web");
});
