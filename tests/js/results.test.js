// Results are data: what they are as JSON, as a text and on the console, and which are equal.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import { gzipSync } from "node:zlib";

import * as chartoci from "../../bindings-wasm/js/node.js";
import { Registry } from "../../bindings-wasm/js/node-testing.js";
import { ROOT, failing, packaged, readJson, tar, temporary } from "./support.js";

const { Archive, Artifact, ChartOciError, Client, Constraint, Digest, Lock, Metadata, Reference, Version } = chartoci;
const { check, package: pack, show } = chartoci;

const json = (value) => JSON.parse(JSON.stringify(value));

test("an archive as JSON is what to_dict gives in Python", async () => {
  const archive = await Archive.read(packaged.data);
  const { metadata, ...fields } = json(archive);
  const files = Object.keys(archive.files);
  assert.deepEqual(fields, { digest: packaged.digest, size: packaged.data.length, files, report: [] });
  assert.deepEqual([metadata.name, metadata.appVersion, metadata.annotations], ["web", "4.10", { category: "Examples" }]);
  assert.ok(JSON.stringify(await Artifact.build(archive)).length < 2000);
  assert.deepEqual(json(packaged), { filename: packaged.filename, digest: packaged.digest, metadata });
});

test("what has a written form is it as JSON and as a text", () => {
  const digest = Digest.of("x");
  const written = [digest, Reference.parse("a.example/web:1"), Version.parse("v1.2"), Constraint.parse("^1")];
  const texts = [String(digest), "oci://a.example/web:1", "v1.2", "^1"];
  assert.deepEqual(written.map(String), texts);
  assert.deepEqual(json(written), texts);
  assert.deepEqual(inspect(written[1]), "Reference(oci://a.example/web:1)");
});

test("the same is equal, another is not, and nothing of another class is", async () => {
  const other = await pack(join(ROOT, "examples/web"), { version: "9.9.9" });
  const lock = "dependencies: []\ndigest: sha256:1\ngenerated: 2020-01-01T00:00:00Z\n";
  const artifact = async ({ data }) => Artifact.build(data);
  const pairs = {
    digest: [Digest.of("x"), Digest.of("x"), Digest.of("y")],
    reference: ["a.example/web:1+b", "oci://a.example/web:1_b", "a.example/web:2"].map(Reference.parse),
    version: [Version.parse("1.0"), Version.parse("v1.0.0"), Version.parse("1.0.1")],
    constraint: [Constraint.parse("^1"), Constraint.parse("^1"), Constraint.parse("^2")],
    metadata: [packaged.metadata, (await Archive.read(packaged.data)).metadata, other.metadata],
    archive: [await Archive.read(packaged.data), await Archive.read(packaged.data), await Archive.read(other.data)],
    artifact: [await artifact(packaged), await artifact(packaged), await artifact(other)],
    lock: [Lock.parse(lock), Lock.parse(lock), Lock.parse(lock.replace("2020", "2021"))],
    packaged: [packaged, await pack(join(ROOT, "examples/web")), other],
    report: [
      await check(Buffer.from("name: a"), "chart.yaml"),
      await check(Buffer.from("name: a"), "chart.yaml"),
      await check(Buffer.from("nome: a"), "chart.yaml"),
    ],
  };
  for (const [name, [one, same, another]] of Object.entries(pairs)) {
    assert.ok(one.equals(one) && one.equals(same) && same.equals(one), name);
    assert.ok(!one.equals(another), name);
    if (name === "version") continue;
    for (const foreign of [undefined, null, 5, "x", {}, String(one)]) assert.ok(!one.equals(foreign), name);
  }
});

test("charts within a chart are equal to themselves, not to their neighbours", async () => {
  const yaml = "apiVersion: v2\nname: x\nversion: 1.0.0\n";
  const files = { "x/Chart.yaml": yaml, "x/charts/a/Chart.yaml": yaml, "x/charts/b/Chart.yaml": yaml };
  const data = gzipSync(tar(files));
  const [one, again] = [await Archive.read(data), await Archive.read(data)];
  assert.ok(one.dependencies[0].equals(again.dependencies[0]));
  assert.ok(!one.dependencies[0].equals(one.dependencies[1]) && !one.dependencies[0].equals(one));
});

test("a result says what it is on the console and as a text", async () => {
  const archive = await Archive.read(packaged.data);
  const artifact = await Artifact.build(archive);
  const texts = [archive, archive.metadata, artifact, packaged].map(String);
  assert.deepEqual(texts.slice(0, 2), ["<Archive web 1.2.0+demo.1>", "<Metadata web 1.2.0+demo.1>"]);
  assert.deepEqual(texts.slice(2), [`<Artifact chart ${artifact.digest}>`, `<Packaged ${packaged.filename}>`]);
  assert.match(inspect(archive), /^Archive \{[^]*name: 'web'[^]*files: \[/);
  assert.match(inspect({ at: artifact }), /at: Artifact \{/);
  assert.match(inspect(await check(Buffer.from("nome: a"), "chart.yaml")), /^Report \[[^]*code: '/);
});

test("a freed archive says so", async () => {
  const archive = await Archive.read(packaged.data);
  archive.free();
  archive.free();
  assert.equal((await failing(() => archive.valuesYaml)).code, "misuse.argument");
  assert.match(inspect(archive), /^Archive \(the archive was freed/);
  assert.equal(packaged.equals(archive), false);
});

test("a path that is missing, or is a file, is named", async (t) => {
  const path = join(temporary(t), "nope");
  for (const use of [pack, show, check, Archive.read]) {
    const { code, message, context } = await failing(() => use(path));
    assert.equal(code, "files.not_found");
    assert.ok(message.startsWith(`${path}: `), message);
    assert.equal(context.path, path);
  }
  const file = await failing(() => pack(join(ROOT, "README.md")));
  assert.deepEqual([file.code, file.context.path], ["files.not_directory", join(ROOT, "README.md")]);
});

test("a chart's directory is shown as its archive is", async (t) => {
  const directory = join(ROOT, "examples/web");
  const path = await packaged.write(temporary(t));
  for (const section of ["all", "chart", "values", "readme", "crds"]) {
    const shown = await show(directory, section);
    for (const source of [path, packaged, packaged.data, await Archive.read(path)]) {
      assert.equal(await show(source, section), shown, section);
    }
  }
  assert.equal((await failing(() => show(temporary(t), "chart"))).kind, "invalid");
});

test("errors speak of options by their names in JavaScript", async (t) => {
  const spoken = [await failing(() => Reference.parse("http://a.example/web"))];
  const registry = await new Registry().listen();
  t.after(() => registry.close());
  const client = new Client({ plainHttp: false, retry: { attempts: 1 }, credentials: null });
  spoken.push(await failing(() => client.tags(`${registry.host}/web`)));
  for (const { hint } of spoken) {
    assert.match(hint, /plainHttp/);
    assert.ok(!/plain_http|--/.test(hint), hint);
  }
  const { message } = await failing(() => new Client({ idleTimeout: 0, credentials: null }).tags(`${registry.host}/web`));
  assert.equal(message, "`idleTimeout` is zero");
  const counts = [
    [{ concurrency: 9999 }, "`concurrency` is 9999", 255],
    [{ concurrency: 0 }, "`concurrency` is 0", 255],
    [{ concurrency: "many" }, '`concurrency` is "many"', 255],
    [{ retry: { attempts: -3 } }, "`attempts` is -3", 4294967295],
    [{ retry: { attempts: 0 } }, "`attempts` is 0", 4294967295],
    [{ retry: { attempts: 1.5 } }, "`attempts` is 1.5", 4294967295],
    [{ retry: { attempts: 2 ** 32 } }, "`attempts` is 4294967296", 4294967295],
  ];
  for (const [options, said, most] of counts) {
    const refused = await failing(() => new Client({ ...options, credentials: null }).tags(`${registry.host}/web`));
    assert.deepEqual([refused.message, refused.hint], [said, `Pass a whole number from 1 to ${most}.`]);
  }
  const told = ChartOciError.from({ kind: "limit", code: "x", message: "", context: { retry_after: "5" } });
  assert.deepEqual(json(told).context, { retryAfter: "5" });
});
