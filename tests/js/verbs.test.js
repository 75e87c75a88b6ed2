// Copy, delete and referrers: within a registry and between two, over the network and in memory.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { collect } from "../../bindings-wasm/js/blobs.js";
import { Client, Digest } from "../../bindings-wasm/js/node.js";
import { Registry } from "../../bindings-wasm/js/node-testing.js";
import { CHART, codeOf, everyDriver, origin, registry, withChromium } from "./drivers.js";
import { packaged } from "./support.js";

withChromium();

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const SIGNATURE = "application/vnd.dev.sigstore.bundle.v0.3+json";

const bytes = (text) => new TextEncoder().encode(text);
const described = (mediaType, data) => ({ mediaType, digest: String(Digest.of(data)), size: data.length });

async function send(registry, method, path, body, type = "application/octet-stream") {
  const url = `http://${registry.host}/v2/${path}`;
  const answer = await (registry.fetch ?? fetch)(url, { method, body, headers: { "content-type": type } });
  assert.equal(answer.status, 201, `${path} ${await answer.text()}`);
}

/** A manifest that refers to what was pushed; gives its digest. */
async function sign(registry, repository, pushed) {
  const [empty, layer] = [bytes("{}"), bytes("signed")];
  for (const blob of [empty, layer]) {
    await send(registry, "POST", `${repository}/blobs/uploads/?digest=${Digest.of(blob)}`, blob);
  }
  const manifest = bytes(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      artifactType: SIGNATURE,
      config: described("application/vnd.oci.empty.v1+json", empty),
      layers: [described(SIGNATURE, layer)],
      subject: { mediaType: MANIFEST, digest: pushed.digest, size: 1 },
      annotations: { who: "us" },
    }),
  );
  await send(registry, "PUT", `${repository}/manifests/${Digest.of(manifest)}`, manifest, MANIFEST);
  return String(Digest.of(manifest));
}

test("a chart is copied between registries with its bytes and its signature", async (t) => {
  const source = await new Registry().listen();
  const target = await new Registry({ username: "user", password: "password", token: true }).listen();
  const credentials = ({ registry }) => (registry === target.host ? ["user", "password"] : null);
  const client = new Client({ credentials });
  t.after(() => Promise.all([client.close(), source.close(), target.close()]));
  const pushed = await client.push(packaged, `oci://${source.host}/charts`);
  const signature = await sign(source, "charts/web", pushed);
  const events = [];
  const copied = await client.copy(pushed.reference, `oci://${target.host}/mirror/web:1`, {
    referrers: true,
    onProgress: (event) => events.push(event),
  });
  assert.deepEqual([copied.digest, copied.referrers, copied.upgraded], [pushed.digest, [signature], false]);
  assert.deepEqual((await client.pull(copied.reference)).archive, packaged.data);
  assert.ok(events.some(({ kind, total }) => kind === "progress" && total === packaged.data.length));
  const [found, ...others] = await client.referrers(copied.reference);
  assert.deepEqual([found.digest, found.artifactType, found.annotations.who], [signature, SIGNATURE, "us"]);
  assert.equal(others.length, 0);
  assert.deepEqual(await client.referrers(copied.reference, { artifactType: "text/none" }), []);
  const again = await client.copy(pushed.reference, copied.reference);
  assert.deepEqual([...new Set(again.blobs.map(({ state }) => state))], ["mounted"]);
});

test("within a registry of this process blobs are mounted, and what is deleted is gone", async (t) => {
  const registry = new Registry();
  const client = new Client({ fetch: registry.fetch, plainHttp: true, credentials: null });
  t.after(() => client.close());
  const pushed = await client.push(packaged, `oci://${registry.host}/charts`);
  const copied = await client.copy(pushed.reference, `oci://${registry.host}/other/web:1`);
  assert.ok(copied.blobs.every(({ state }) => state === "mounted"));
  assert.deepEqual(await client.referrers(copied.reference), []);
  assert.equal((await client.delete(copied.reference)).digest, undefined);
  await assert.rejects(client.resolve(copied.reference), { kind: "not_found" });
  const name = pushed.reference.slice(0, pushed.reference.lastIndexOf(":"));
  assert.equal((await client.delete(`${name}@${pushed.digest}`)).digest, pushed.digest);
  await assert.rejects(client.delete(pushed.reference), { kind: "not_found", code: "registry.manifest_unknown" });
  await assert.rejects(client.copy(name, copied.reference), { code: "misuse.argument" });
});

test("a copy goes on where a registry serves nobody while it takes a blob", async (t) => {
  const registry = new Registry();
  let last = Promise.resolve();
  const server = createServer((request, response) => {
    last = last.then(async () => {
      const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
      const target = request.url.replace(/\?mount=.*/, "");
      const body = await collect(request);
      const answer = registry.serve({ method: request.method, target, headers }, body);
      response.writeHead(answer.status, answer.headers.flat());
      response.end(request.method === "HEAD" ? undefined : answer.body);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = new Client({ credentials: null, timeout: 5 });
  t.after(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${server.address().port}`;
  const pushed = await client.push(packaged, `oci://${host}/charts`);
  const copied = await client.copy(pushed.reference, `oci://${host}/other/web:2`);
  assert.equal(copied.digest, pushed.digest);
});

test("a source that is not there ends a copy with its own error", async (t) => {
  const [source, target] = [await new Registry().listen(), await new Registry().listen()];
  const client = new Client({ credentials: null });
  t.after(() => Promise.all([client.close(), source.close(), target.close()]));
  const missing = `oci://${source.host}/charts/none:1`;
  await assert.rejects(client.copy(missing, `oci://${target.host}/web:1`), { kind: "not_found" });
});

/** A registry that serves blobs by their digests, else a manifest; the first big one breaks off halfway. */
async function source(t, blobs, manifest) {
  let breaks = 1;
  const server = createServer((request, response) => {
    const body = blobs.get(request.url.split("/").at(-1)) ?? (request.url.includes("/manifests/") ? manifest : undefined);
    if (!body) return response.writeHead(404).end();
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const range = { "content-range": `bytes ${start}-${body.length - 1}/${body.length}` };
    response.writeHead(start ? 206 : 200, { "content-length": body.length - start, ...(start ? range : {}) });
    if (body.length < 100_000 || !breaks) return response.end(body.subarray(start));
    breaks = 0;
    response.write(body.subarray(0, body.length / 2), () => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `127.0.0.1:${server.address().port}`;
}

test("what was given to the client is for the target of a copy only: the source's secret comes from the files", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "chartoci-"));
  const source = await new Registry({ username: "reader", password: "source's", token: true }).listen();
  const target = await new Registry({ username: "writer", password: "target's", token: true }).listen();
  const own = new Client({ credentials: ["reader", "source's"] });
  const { reference } = await own.push(packaged, `oci://${source.host}/charts`);
  const registryConfig = join(directory, "config.json");
  const client = new Client({ credentials: ["writer", "target's"], registryConfig });
  t.after(() => Promise.all([own.close(), client.close(), source.close(), target.close()]));
  t.after(() => rmSync(directory, { recursive: true }));
  for (const upgrade of [false, true]) {
    await assert.rejects(client.copy(reference, `oci://${target.host}/web:1`, { upgrade }), { kind: "denied" });
  }
  const auth = Buffer.from("reader:source's").toString("base64");
  writeFileSync(registryConfig, JSON.stringify({ auths: { [source.host]: { auth } } }));
  for (const upgrade of [false, true]) await client.copy(reference, `oci://${target.host}/web:1`, { upgrade });
});

test("a big blob goes through in pieces, goes on where its source broke off, and another is never taken for it", async (t) => {
  const config = bytes('{"name":"big","version":"1.0.0","apiVersion":"v2"}');
  const layer = new Uint8Array(3_000_000).map((_, index) => index % 251);
  const layers = [described("application/vnd.cncf.helm.chart.content.v1.tar+gzip", layer)];
  const configured = described("application/vnd.cncf.helm.config.v1+json", config);
  const manifest = bytes(JSON.stringify({ schemaVersion: 2, config: configured, layers }));
  const target = await new Registry().listen();
  const client = new Client({ credentials: null });
  t.after(() => Promise.all([client.close(), target.close()]));
  const named = (data) => new Map([[configured.digest, config], ...(data ? [[layers[0].digest, data]] : [])]);

  const host = await source(t, named(layer), manifest);
  const copied = await client.copy(`oci://${host}/big:1.0.0`, `oci://${target.host}/big:1.0.0`);
  assert.equal(copied.digest, String(Digest.of(manifest)));
  const answer = await fetch(`http://${target.host}/v2/big/blobs/${layers[0].digest}`);
  assert.deepEqual(new Uint8Array(await answer.arrayBuffer()), layer);

  const liar = await source(t, named(layer.map((byte) => byte + 1)), manifest);
  const lied = client.copy(`oci://${liar}/big:1.0.0`, `oci://${target.host}/lie:1.0.0`);
  await assert.rejects(lied, { kind: "integrity", code: "integrity.digest_mismatch" });
  await assert.rejects(client.resolve(`oci://${target.host}/lie:1.0.0`), { kind: "not_found" });

  const bare = await source(t, named(undefined), manifest);
  const missing = client.copy(`oci://${bare}/big:1.0.0`, `oci://${target.host}/bare:1.0.0`);
  await assert.rejects(missing, { kind: "not_found", code: "registry.blob_unknown" });
});

test("what lies at a reference is named for what it is, whatever it is", async (t) => {
  const registry = await new Registry().listen();
  const client = new Client({ credentials: null });
  t.after(() => Promise.all([client.close(), registry.close()]));
  const pushed = await client.push(packaged, `oci://${registry.host}/charts`);
  const put = async (tag, type, document) => {
    const config = bytes("{}");
    await send(registry, "POST", `charts/web/blobs/uploads/?digest=${Digest.of(config)}`, config);
    await send(registry, "PUT", `charts/web/manifests/${tag}`, bytes(JSON.stringify({ schemaVersion: 2, ...document })), type);
  };
  const layer = (mediaType) => described(mediaType, bytes("{}"));
  const INDEX = "application/vnd.oci.image.index.v1+json";
  const HELM = layer("application/vnd.cncf.helm.config.v1+json");
  await put("image", MANIFEST, {
    config: layer("application/vnd.oci.image.config.v1+json"),
    layers: [layer("application/vnd.oci.image.layer.v1.tar+gzip")],
  });
  await put("index", INDEX, { mediaType: INDEX, manifests: [] });
  await put("alpha", MANIFEST, {
    config: HELM,
    layers: [layer("application/vnd.cncf.helm.chart.meta.v1+json"), layer("application/vnd.cncf.helm.chart.content.v1+tar")],
  });
  await put("old", MANIFEST, { config: HELM, layers: [layer("application/tar+gzip")] });
  await put("text", MANIFEST, { config: layer("text/plain"), layers: [] });
  const signature = await sign(registry, "charts/web", pushed);
  const found = {};
  for (const tag of ["image", "index", "alpha", "old", "text", `@${signature}`]) {
    const { artifact, metadata } = await client.inspect(`${registry.host}/charts/web${tag.startsWith("@") ? "" : ":"}${tag}`);
    found[tag.slice(0, 5)] = [artifact.what, artifact.isLegacy, metadata?.name];
    assert.ok(artifact.explain().length > 0);
  }
  assert.deepEqual(found, {
    image: ["image", false, undefined],
    index: ["index", false, undefined],
    alpha: ["alpha-chart", false, undefined],
    old: ["chart", true, ""],
    text: ["other", false, undefined],
    "@sha2": ["signature", false, undefined],
  });
  const { reference, artifact, metadata } = await client.inspect(pushed.reference);
  assert.deepEqual([reference, artifact.what, metadata.version], [pushed.reference, "chart", "1.2.0+demo.1"]);
  const { what, digest, config } = JSON.parse(JSON.stringify(artifact));
  assert.deepEqual([what, digest, config.digest], ["chart", pushed.digest, artifact.configDescriptor.digest]);
});

everyDriver("a chart is copied between registries, referred to, described and deleted", async (t, ask) => {
  let struck = 0;
  const breaks = (method, target) => method === "GET" && /\/blobs\//.test(target) && struck++ === 1;
  const source = await registry(t, { faults: (...asked) => (breaks(...asked) ? { status: null, short: 1000 } : undefined) });
  const target = await registry(t);
  const pushed = await ask("push", CHART, `oci://${source.host}/charts`);
  const signature = await sign(source, "charts/web", pushed);
  const to = `${target.host}/mirror/web:1`;
  const retry = { attempts: 3, backoff: 0.01 };
  const copied = await ask.by({ retry }, "copy", pushed.reference, to, { referrers: true });
  assert.deepEqual([copied.digest, copied.referrers], [pushed.digest, [signature]]);
  assert.ok(struck > 1);
  assert.equal((await ask("open", to)).data, (await ask("open", pushed.reference)).data);
  const found = await ask("referrers", to, { artifactType: SIGNATURE });
  assert.deepEqual(found.map(({ digest }) => digest), [signature]);
  assert.equal((await ask("inspect", `${target.host}/mirror/web@${signature}`)).artifact.what, "signature");
  assert.equal((await ask("resolve", to)).digest, pushed.digest);
  await ask("delete", to);
  assert.equal(await codeOf(ask("resolve", to)), "registry.manifest_unknown");
});

everyDriver("a copy whose source gives other bytes leaves no tag", async (t, ask) => {
  const config = bytes("{}");
  const layer = new Uint8Array(3_000_000).map((_, index) => index % 251);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    config: described("application/vnd.cncf.helm.config.v1+json", config),
    layers: [described("application/vnd.cncf.helm.chart.content.v1.tar+gzip", layer)],
  });
  const lie = Buffer.from(layer.map((byte) => byte + 1));
  const { host } = await origin(t, (method, path) => {
    if (path.includes("/manifests/")) return [200, { "content-type": MANIFEST }, manifest];
    return [200, {}, path.includes(String(Digest.of(config))) ? config : lie];
  });
  const target = await registry(t);
  assert.equal(await codeOf(ask("copy", `${host}/big:1`, `${target.host}/big:1`)), "integrity.digest_mismatch");
  assert.match(await codeOf(ask("resolve", `${target.host}/big:1`)), /^registry\.\w+_unknown$/);
});
