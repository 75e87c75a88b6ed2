// The client against the registry of chartoci/testing: in memory behind fetch, and over the loopback network.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import dns from "node:dns";
import { once } from "node:events";
import { copyFileSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";

import * as chartoci from "../../bindings-wasm/js/node.js";
import { Archive, Client, Digest } from "../../bindings-wasm/js/node.js";
import { Registry } from "../../bindings-wasm/js/node-testing.js";
import { ROOT, failing, packaged, temporary } from "./support.js";

const TAG = "1.2.0_demo.1";

/** Both ways to reach a registry; `run` gets a client's options and the repository's prefix. */
function everywhere(name, options, run) {
  test(`${name}, in memory`, async (t) => {
    const registry = new Registry(options);
    await run({ fetch: registry.fetch, plainHttp: true, credentials: null }, `oci://${registry.host}/charts`, t);
  });
  test(`${name}, over the network`, async (t) => {
    const registry = await new Registry(options).listen();
    t.after(() => registry.close());
    await run({ credentials: null }, `oci://${registry.host}/charts`, t);
  });
}

everywhere("a chart goes in and comes out", {}, async (options, charts, t) => {
  const client = new Client(options);
  t.after(() => client.close());
  const events = [];
  const pushed = await client.push(packaged.data, charts, { onProgress: (event) => events.push(event) });
  assert.equal(pushed.reference, `${charts}/web:${TAG}`);
  assert.equal(pushed.tag, TAG);
  assert.deepEqual(pushed.blobs.map(({ state }) => state), ["uploaded", "uploaded"]);
  assert.equal(events.filter(({ kind }) => kind === "uploaded").length, 2);
  const last = events.filter(({ kind }) => kind === "progress").at(-1);
  assert.deepEqual(last, { kind: "progress", item: "chart", transferred: packaged.data.length, total: packaged.data.length });

  const again = await client.push(packaged, charts);
  assert.equal(again.digest, pushed.digest);
  assert.ok(again.blobs.every(({ state }) => state !== "uploaded"));

  assert.deepEqual(await client.tags(`${charts}/web`), [TAG]);
  assert.deepEqual((await client.versions(`${charts}/web`)).map(String), ["1.2.0+demo.1"]);
  assert.deepEqual(await client.versions(`${charts}/web`, "^9"), []);
  const resolved = await client.resolve(`${charts}/web`, { version: "1.2.0+demo.1" });
  assert.deepEqual([resolved.digest, resolved.tag, resolved.version], [pushed.digest, TAG, "1.2.0+demo.1"]);
  assert.equal((await client.metadata(pushed.reference)).name, "web");
  const artifact = await client.artifact(`${charts}/web@${pushed.digest}`);
  assert.equal(artifact.digest, pushed.digest);
  assert.equal(artifact.what, "chart");

  const pulled = await client.pull(`${charts}/web`, { version: "^1", onProgress: (event) => events.push(event) });
  assert.deepEqual(pulled.archive, packaged.data);
  assert.equal(pulled.digest, pushed.digest);
  assert.ok(events.some(({ kind }) => kind === "downloaded"));
  const archive = await client.open(pushed.reference);
  assert.deepEqual(archive.files.get("Chart.yaml"), (await Archive.read(packaged.data)).files.get("Chart.yaml"));
});

everywhere("ifExists decides what happens to a tag that is there", {}, async (options, charts) => {
  const client = new Client(options);
  const first = await client.push(packaged, charts);
  assert.equal((await client.push(packaged, charts, { ifExists: "skip-same" })).skipped, true);
  const changed = await chartoci.package(join(ROOT, "examples/web"), { appVersion: "5" });
  for (const [chart, ifExists] of [[changed, "skip-same"], [changed, "refuse"], [packaged, "refuse"]]) {
    const error = await failing(() => client.push(chart, charts, { ifExists }));
    assert.deepEqual([error.kind, error.code], ["conflict", "registry.exists"], ifExists);
  }
  assert.notEqual((await client.push(changed, charts)).digest, first.digest);
  assert.equal((await failing(() => client.push(packaged, charts, { ifExists: "maybe" }))).code, "misuse.argument");
});

for (const token of [false, true]) {
  const way = token ? "Bearer" : "Basic";
  everywhere(`credentials by ${way}`, { username: "ada", password: "secret", token }, async (options, charts) => {
    const asked = [];
    const credentials = (query) => {
      asked.push(query);
      return { username: "ada", password: "secret" };
    };
    for (const given of [["ada", "secret"], { username: "ada", password: "secret" }, credentials]) {
      const client = new Client({ ...options, credentials: given });
      const { reference } = await client.push(packaged, charts);
      assert.deepEqual((await client.pull(reference)).archive, packaged.data);
    }
    assert.equal(asked.length, 1, "asked once, then remembered");
    assert.equal(asked[0].repository, "charts/web");
    const refused = await failing(() => new Client({ ...options, credentials: ["ada", "hunter2"] }).push(packaged, charts));
    assert.equal(refused.kind, "denied");
    assert.ok(!JSON.stringify(refused).includes("hunter2"));
    const anonymous = await failing(() => new Client(options).tags(`${charts}/web`));
    assert.deepEqual([anonymous.kind, anonymous.code], ["denied", "auth.required"]);
  });
}

test("a callable's error comes back as it is", async () => {
  const registry = new Registry({ username: "ada", password: "secret" });
  const broken = new Error("the vault is closed");
  const credentials = () => Promise.reject(broken);
  const client = new Client({ fetch: registry.fetch, plainHttp: true, credentials });
  await assert.rejects(client.tags(`oci://${registry.host}/charts/web`), broken);
  const noisy = new Client({ fetch: new Registry().fetch, plainHttp: true });
  const onProgress = () => {
    throw broken;
  };
  await assert.rejects(noisy.push(packaged, `oci://${registry.host}/charts`, { onProgress }), broken);
});

test("files of Helm and Docker give credentials in Node, unless they are not wanted", async (t) => {
  const directory = temporary(t);
  const registry = await new Registry({ username: "ada", password: "secret" }).listen();
  t.after(() => registry.close());
  const auth = Buffer.from("ada:secret").toString("base64");
  writeFileSync(join(directory, "config.json"), JSON.stringify({ auths: { [registry.host]: { auth } } }));
  const before = process.env.HELM_REGISTRY_CONFIG;
  t.after(() => (before === undefined ? delete process.env.HELM_REGISTRY_CONFIG : (process.env.HELM_REGISTRY_CONFIG = before)));
  process.env.HELM_REGISTRY_CONFIG = join(directory, "config.json");
  const { reference } = await new Client().push(packaged, `oci://${registry.host}/charts`);
  assert.ok(reference);
  const error = await failing(() => new Client({ credentials: null }).pull(reference));
  assert.equal(error.code, "auth.required");
});

test("a path brings its provenance and its time along, and a pull writes files under Helm's names", async (t) => {
  const directory = temporary(t);
  const registry = new Registry();
  const client = new Client({ fetch: registry.fetch, plainHttp: true });
  const charts = `oci://${registry.host}/charts`;
  const path = await packaged.write(directory);
  writeFileSync(`${path}.prov`, "signed\n");
  utimesSync(path, 1_700_000_000, 1_700_000_000);
  const { reference, digest } = await client.push(path, charts);
  assert.equal((await client.push(await Archive.read(path), `${charts}/again`)).blobs.length, 3);
  const { annotations, provenanceLayer } = await client.artifact(reference);
  assert.equal(annotations["org.opencontainers.image.created"], "2023-11-14T22:13:20Z");
  assert.equal(provenanceLayer.digest, String(Digest.of("signed\n")));

  const target = join(directory, "made/if/missing");
  const pulled = await client.pull(`${charts}/web@${digest}`, { directory: target, provenance: true });
  assert.equal(pulled.path, join(target, packaged.filename));
  assert.equal(pulled.provenancePath, `${pulled.path}.prov`);
  assert.deepEqual(new Uint8Array(readFileSync(pulled.path)), packaged.data);
  assert.deepEqual(readdirSync(target).sort(), [packaged.filename, `${packaged.filename}.prov`]);
  const inMemory = await client.pull(reference, { provenance: true });
  assert.equal(Buffer.from(inMemory.provenance).toString(), "signed\n");

  const untarred = await client.pull(reference, { directory: join(directory, "charts"), untar: true });
  assert.equal(untarred.path, join(directory, "charts/web"));
  assert.ok(statSync(join(untarred.path, "Chart.yaml")).isFile());
  assert.deepEqual(readdirSync(join(directory, "charts")), ["web"]);
  copyFileSync(path, join(directory, "charts/other.tgz"));
  const conflict = await failing(() => client.pull(reference, { directory: join(directory, "charts"), untar: true }));
  assert.equal(conflict.kind, "conflict");
  assert.deepEqual(readdirSync(join(directory, "charts")).sort(), ["other.tgz", "web"]);
});

test("allow is asked before every connection", async (t) => {
  const registry = await new Registry().listen();
  t.after(() => registry.close());
  const repository = `oci://${registry.host}/charts/web`;
  const asked = [];
  const client = new Client({ allow: (...where) => asked.push(where) && false });
  assert.equal((await failing(() => client.tags(repository))).code, "transport.forbidden");
  const [host, port] = registry.host.split(":");
  assert.deepEqual(asked, [[host, host, Number(port)]]);
  const named = new Client({ allow: [registry.host] });
  assert.equal((await failing(() => named.tags(repository))).kind, "not_found");
  const other = new Client({ allow: ["registry.example"] });
  assert.equal((await failing(() => other.tags(repository))).code, "transport.forbidden");
});

test("what allow throws is raised, and nothing is tried again", async (t) => {
  const registry = await new Registry().listen();
  t.after(() => registry.close());
  const port = registry.host.split(":")[1];
  for (const host of [registry.host, `localhost:${port}`]) {
    let asked = 0;
    const allow = () => {
      asked += 1;
      throw new RangeError("not my day");
    };
    const client = new Client({ allow, plainHttp: true });
    await assert.rejects(client.tags(`oci://${host}/charts/web`), RangeError);
    assert.equal(asked, 1);
  }
});

test("what allow throws where a copy takes its blobs from ends the copy at once", async (t) => {
  const [source, target] = await Promise.all([new Registry().listen(), new Registry().listen()]);
  t.after(() => Promise.all([source.close(), target.close()]));
  const { reference } = await new Client({ credentials: null }).push(packaged, `oci://${source.host}/charts`);
  for (const options of [{}, { fetch }]) {
    let asked = 0;
    // The manifest may come.
    const allow = (host, ip, port) => {
      if (String(port) !== source.host.split(":")[1] || ++asked === 1) return true;
      throw new RangeError("not my day");
    };
    const client = new Client({ allow, credentials: null, ...options });
    const begin = performance.now();
    await assert.rejects(client.copy(reference, `oci://${target.host}/mirror/web:1`), RangeError);
    client.close();
    assert.ok(asked <= 3, `it was asked ${asked} times`);
    assert.ok(performance.now() - begin < 2000);
  }
});

test("what a killed process has left of a pull is removed, and never what a living one writes", async (t) => {
  const directory = temporary(t);
  const program = (what) => `
    import { beside, save } from ${JSON.stringify(new URL("../../bindings-wasm/js/files-node.js", import.meta.url).href)};
    const directory = ${JSON.stringify(directory)};
    ${what}`;
  const node = (what) => spawn(process.execPath, ["--input-type=module", "-e", program(what)], { stdio: ["pipe", "pipe", "inherit"] });
  const save = async (name) => {
    const [status] = await once(node(`await save(directory, ${JSON.stringify(name)}, Buffer.from("whole"));`), "close");
    assert.equal(status, 0);
  };
  const other = ".chartoci-0123456789abcdef.part";
  writeFileSync(join(directory, other), "");
  const living = node(`
    const file = beside(directory);
    await file.write(Buffer.from("half"));
    console.log(file.path);
    process.stdin.resume();`);
  const part = basename(String((await once(living.stdout, "data"))[0]).trim());
  await save("a");
  assert.deepEqual(readdirSync(directory).sort(), [part, other, "a"].sort());
  living.kill("SIGKILL");
  await once(living, "close");
  await save("b");
  assert.deepEqual(readdirSync(directory).sort(), [other, "a", "b"].sort());
});

test("of several addresses those that allow refuses are left out", async (t) => {
  const registry = await new Registry().listen();
  t.after(() => registry.close());
  const found = [{ address: "127.0.0.2", family: 4 }, { address: "127.0.0.1", family: 4 }];
  t.mock.method(dns, "lookup", (name, options, callback) => callback(null, found));
  const repository = `oci://localhost:${registry.host.split(":")[1]}/charts/web`;
  const some = new Client({ allow: (host, ip) => ip === "127.0.0.1" });
  assert.equal((await failing(() => some.tags(repository))).kind, "not_found");
  const none = new Client({ allow: () => false });
  assert.equal((await failing(() => none.tags(repository))).code, "transport.forbidden");
});

test("several verbs run on one client at once", async () => {
  const registry = new Registry();
  const client = new Client({ fetch: registry.fetch, plainHttp: true });
  const charts = `oci://${registry.host}`;
  await Promise.all([1, 2, 3, 4].map((number) => client.push(packaged, `${charts}/team-${number}`)));
  const found = await Promise.all([1, 2, 3, 4].map((number) => client.tags(`${charts}/team-${number}/web`)));
  assert.deepEqual(found, [[TAG], [TAG], [TAG], [TAG]]);
  assert.deepEqual(await client.tags(`${charts}/team-1/web`, { timeout: null }), [TAG], "null is no time limit");
});

everywhere("a chart is checked with all its parts, and under its tag", {}, async (options, charts, t) => {
  const client = new Client(options);
  t.after(() => client.close());
  const { reference } = await client.push(packaged.data, charts);
  const codes = async (name) => [...(await client.check(name))].map(({ code }) => code);
  assert.ok(!(await codes(reference)).some((code) => code.startsWith("artifact.")));
  await client.copy(reference, `${charts}/web:9.9.9`);
  assert.ok((await codes(`${charts}/web:9.9.9`)).includes("artifact.tag"));
});

test("a config that says something else than the chart is a notice of its pull", async (t) => {
  const registry = await new Registry().listen();
  t.after(() => registry.close());
  const claims = JSON.parse(Buffer.from((await Archive.read(packaged.data)).metadata.config()).toString());
  const says = { other: { ...claims, version: "9.9.9" }, spaced: claims, broken: [] };
  const place = `http://${registry.host}/v2/charts/web`;
  const described = (kind, data) => ({
    mediaType: `application/vnd.cncf.helm.${kind}`,
    digest: String(Digest.of(data)),
    size: data.length,
  });
  for (const [tag, claim] of Object.entries(says)) {
    const config = Buffer.from(JSON.stringify(claim, undefined, 1));
    const layers = [described("chart.content.v1.tar+gzip", packaged.data)];
    for (const blob of [config, packaged.data]) {
      await fetch(`${place}/blobs/uploads/?digest=${Digest.of(blob)}`, { method: "POST", body: blob });
    }
    const manifest = JSON.stringify({ schemaVersion: 2, config: described("config.v1+json", config), layers });
    const headers = { "content-type": "application/vnd.oci.image.manifest.v1+json" };
    assert.equal((await fetch(`${place}/manifests/${tag}`, { method: "PUT", body: manifest, headers })).status, 201);
  }
  const client = new Client({ credentials: null });
  t.after(() => client.close());
  const reference = (tag) => `oci://${registry.host}/charts/web:${tag}`;
  const events = [];
  const other = await client.pull(reference("other"), { onProgress: (event) => events.push(event) });
  assert.equal(other.notices.length, 1);
  assert.equal(other.notices[0].code, "artifact.config");
  assert.match(other.notices[0].text, /version is "9\.9\.9", and "1\.2\.0\+demo\.1" in Chart\.yaml/);
  assert.deepEqual(events.filter(({ kind }) => kind === "notice"), [{ kind: "notice", ...other.notices[0] }]);
  assert.deepEqual((await client.pull(reference("spaced"))).notices, []);
  const written = await client.pull(reference("broken"), { directory: temporary(t) });
  assert.equal(written.notices.length, 1);
});
