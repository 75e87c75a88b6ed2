// The pure classes: what goes in, what comes out, and that nothing in a chart means anything to JavaScript.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

import * as chartoci from "../../bindings-wasm/js/node.js";
import { ROOT, failing, packaged, tar, temporary } from "./support.js";

const { Archive, Artifact, ChartOciError, Digest, Ignore, Lock, Metadata, Reference, Version, check, codes, show } = chartoci;
const CHARTS = process.env.CHARTOCI_CHARTS ?? join(ROOT, "../shared/charts");

const chart = (files) => gzipSync(tar({ "x/Chart.yaml": "apiVersion: v2\nname: x\nversion: 1.0.0\n", ...files }));

test("a chart is read from bytes, buffers, blobs, streams, paths and URLs alike", async (t) => {
  const path = await packaged.write(temporary(t));
  const { data } = packaged;
  const buffer = data.buffer.slice(data.byteOffset, data.byteOffset + data.length);
  const within = new Uint8Array([1, ...data, 2]).subarray(1, -1);
  const sources = [data, buffer, within, new DataView(buffer), new Blob([data]), new Blob([data]).stream(), path];
  for (const source of [...sources, pathToFileURL(path)]) {
    const archive = await Archive.read(source);
    assert.equal(archive.digest, packaged.digest);
    assert.deepEqual(archive.data, data);
  }
});

test("who changes the bytes afterwards changes no archive", async () => {
  const mine = packaged.data.slice();
  const archive = await Archive.read(mine);
  mine.fill(0);
  assert.equal(String(Digest.of(archive.data)), archive.digest);
});

test("the digest of a large archive is right whoever hashes it", async (t) => {
  const data = chart({ "x/noise": randomBytes(1 << 19) });
  const expected = `sha256:${createHash("sha256").update(data).digest("hex")}`;
  assert.equal((await Archive.read(data)).digest, expected);
  const asked = t.mock.method(crypto.subtle, "digest", async () => {
    throw new Error("not here");
  });
  assert.equal((await Archive.read(data)).digest, expected);
  assert.equal(asked.mock.callCount(), 1);
  await failing(() => Archive.read(data.subarray(0, data.length / 2)));
});

test("an archive shows its parts", async () => {
  const archive = await Archive.read(packaged.data);
  assert.equal(archive.metadata.name, "web");
  assert.equal(archive.filename, packaged.filename);
  assert.equal(archive.size, packaged.data.length);
  assert.equal(archive.values.replicas, 2);
  assert.deepEqual(archive.valuesYaml, archive.files["values.yaml"]);
  assert.deepEqual(archive.readme, archive.files.get("README.md"));
  assert.ok(archive.templates.includes("templates/service.yaml"));
  assert.equal(archive.lock, undefined);
  assert.deepEqual(archive.dependencies, []);
  assert.equal(archive.report.ok, true);
  assert.deepEqual([...archive.metadata.config()], [...(await Artifact.build(archive)).config]);
});

test("files behave like a map and like an object, and each access copies", async () => {
  const { files } = await Archive.read(chart({ "x/get": "a file named get", "x/__proto__": "p", "x/constructor": "c" }));
  assert.deepEqual(Object.keys(files).sort(), ["Chart.yaml", "__proto__", "constructor", "get"]);
  assert.equal(files.size, 4);
  assert.equal(Buffer.from(files.get("get")).toString(), "a file named get");
  assert.equal(Buffer.from(files.__proto__).toString(), "p");
  assert.equal(Buffer.from(files.constructor).toString(), "c");
  assert.equal(files["toString"], undefined);
  assert.equal("Chart.yaml" in files, true);
  assert.equal("values.yaml" in files, false);
  assert.notEqual(files["Chart.yaml"], files["Chart.yaml"]);
  assert.equal([...files].length, 4);
  assert.throws(() => (files["Chart.yaml"] = new Uint8Array()), TypeError);
});

test("values have no prototype, and large whole numbers are BigInt", async () => {
  const text = "__proto__: {polluted: true}\nconstructor: 1\nsafe: 9007199254740991\nlarge: 9007199254740993\nlow: -9007199254740993\nmost: 18446744073709551615\n";
  const { values } = await Archive.read(chart({ "x/values.yaml": text }));
  assert.equal(Object.getPrototypeOf(values), null);
  assert.equal({}.polluted, undefined);
  assert.deepEqual(Object.keys(values).sort(), ["__proto__", "constructor", "large", "low", "most", "safe"]);
  assert.equal(values.safe, 9007199254740991);
  assert.equal(values.large, 9007199254740993n);
  assert.equal(values.low, -9007199254740993n);
  assert.equal(values.most, 18446744073709551615n);
});

test("vendored charts are views", async () => {
  const outer = chart({ "x/charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 2.0.0\n" });
  const [inner] = (await Archive.read(outer)).dependencies;
  assert.equal(inner.metadata.name, "sub");
  assert.equal(inner.data, undefined);
});

test("an archive that is refused says why, and its error crosses workers as JSON", async () => {
  const error = await failing(() => Archive.read(gzipSync(tar({ "x/values.yaml": "a: 1" }))));
  assert.equal(error.kind, "invalid");
  assert.ok(error.hint);
  const copy = ChartOciError.from(structuredClone(error.toJSON()));
  assert.deepEqual(copy.toJSON(), error.toJSON());
  assert.equal(copy.message, error.message);
  assert.ok(copy instanceof Error);
});

test("limits are obeyed, and a limit that does not exist is refused", async () => {
  assert.equal((await failing(() => Archive.read(packaged.data, { limits: { archive: 10 } }))).kind, "limit");
  assert.equal((await failing(() => Archive.read(packaged.data, { limits: { unpacked: 10 } }))).kind, "limit");
  assert.equal((await failing(() => show(packaged.data, "all", { limits: { unpacked: 10 } }))).kind, "limit");
  const names = ["archive", "unpacked", "ratio", "file", "files", "nesting", "document", "depth", "nodes", "manifest", "config", "provenance", "token"];
  for (const name of [...names, "errorBody", "page", "pages", "tags", "redirects"]) {
    await Archive.read(packaged.data, { limits: { [name]: 1 << 20 } });
  }
  assert.equal((await failing(() => Archive.read(packaged.data, { limits: { archiv: 10 } }))).code, "misuse.argument");
  assert.equal((await failing(() => Archive.read(packaged.data, { limits: { archive: -1 } }))).code, "misuse.argument");
  const endless = new ReadableStream({ pull: (control) => control.enqueue(new Uint8Array(65536)) });
  assert.equal((await failing(() => Archive.read(endless, { limits: { archive: 1 << 20 } }))).kind, "limit");
});

test("bad sources say what to do", async (t) => {
  const directory = temporary(t);
  const cases = [
    [() => Archive.read("/nowhere/web.tgz"), "files.not_found"],
    [() => Archive.read(directory), "files.is_directory"],
    [() => Archive.read("apiVersion: v2\nname: web\n"), "misuse.looks_like_content"],
    [() => Archive.read(42), "misuse.argument"],
    [() => Archive.read(null), "misuse.argument"],
    [() => Archive.read(Buffer.from("no archive")), "archive.gzip"],
    [() => show(packaged.data, "nothing"), "misuse.argument"],
    [() => check(packaged.data, "nothing"), "misuse.argument"],
    [() => chartoci.package("/nowhere"), "files.not_found"],
    [() => Reference.parse("http://registry.example/web"), "reference.scheme"],
    [() => Reference.parse("oci://user:secret@registry.example/web"), "reference.userinfo"],
    [() => Digest.of("x", "md5"), "misuse.argument"],
  ];
  for (const [action, code] of cases) {
    const error = await failing(action);
    assert.equal(error.code, code, String(action));
    assert.ok(error.hint, code);
    assert.ok(!JSON.stringify(error).includes("secret"));
  }
});

test("small values are frozen, printed and compared", () => {
  const reference = Reference.parse("registry.example/team/web:1.0.0+b1");
  assert.equal(`${reference}`, "oci://registry.example/team/web:1.0.0_b1");
  assert.throws(() => (reference.tag = "x"), TypeError);
  assert.equal(Version.parse("v1.0.0").equals("1.0.0"), true);
  assert.equal(Version.compare("1.0.0-rc.1", "1.0.0"), -1);
  assert.equal(JSON.stringify({ digest: Digest.of("{}") }), `{"digest":"${Digest.of("{}")}"}`);
});

test("Chart.yaml, Chart.lock and .helmignore are read", async () => {
  assert.equal(Metadata.parse("name: web\nversion: 1.10\napiVersion: v2\n").version, "1.1");
  const lock = Lock.parse("dependencies:\n- {name: a, version: 1.0.0, repository: ''}\ndigest: sha256:x\ngenerated: 2026-01-01T00:00:00Z\n");
  assert.equal(lock.dependencies[0].name, "a");
  assert.match(Lock.digestFor([{ name: "a", version: "^1" }], lock.dependencies), /^sha256:[0-9a-f]{64}$/);
  const ignore = Ignore.parse("*.bak\n/docs/\n");
  assert.equal(ignore.matches("a/b.bak"), true);
  assert.equal(ignore.matches("docs", { isDir: true }), true);
  assert.equal(ignore.matches("values.yaml"), false);
  const peeked = await Metadata.peek(packaged.data);
  assert.deepEqual([peeked.name, peeked.unverified], ["web", true]);
});

test("check lists findings with their places", async () => {
  const report = await check(Buffer.from("apiVersion: v2\nname: Web_\nversion: nope\n"), "chart.yaml");
  assert.equal(report.ok, false);
  assert.ok(report.errors.length >= 1);
  const finding = [...report].find(({ pointer }) => pointer === "/version");
  assert.ok(finding.line === 3 && finding.message && finding.help);
  assert.deepEqual([finding.start, finding.end], [35, 39]);
  assert.match(String(report), /error\[/);
  assert.deepEqual(JSON.parse(JSON.stringify(report)).length, report.length);
});

test("the JSON of a report is that of every language, in an error as well", async () => {
  const text = 'name: web\nversion: 1.0.0\nappVersion: 1.10\n"é\\u2028\\x7f\\"\\b": 1\n';
  const report = await check(Buffer.from(text), "chart.yaml");
  assert.equal(JSON.stringify(report), readFileSync(new URL("../report.json", import.meta.url), "utf8"));
  const fixes = [...report].flatMap(({ fix }) => fix ?? []);
  const expected = [[0, 0, "apiVersion: v2\n"], [37, 41, '"1.10"']];
  assert.deepEqual(fixes, expected.map(([start, end, replacement]) => ({ start, end, replacement })));
  const fields = { kind: "invalid", code: "chart.version", message: "x", report: report.toJSON() };
  const copy = ChartOciError.from(structuredClone(fields)).report;
  assert.deepEqual([...copy], [...report]);
  assert.equal(JSON.stringify(copy), JSON.stringify(report));
});

test("a report can be mended by, and shown as a compiler does or as SARIF", async (t) => {
  const chartYaml = "apiVersion: v2\nname: web # ours\nversion: 1.0.0\nappVersion: 1.10 # soon\n";
  const directory = join(temporary(t), "web");
  mkdirSync(directory);
  writeFileSync(join(directory, "Chart.yaml"), chartYaml);
  writeFileSync(join(directory, "values.yaml"), "a: 1\na: 2\n");
  const mended = chartYaml.replace("1.10", '"1.10"');
  const one = await check(Buffer.from(chartYaml), "chart.yaml");
  assert.equal(Buffer.from(one.fixed()).toString(), mended);
  const all = await check(directory);
  assert.deepEqual(all.documents, ["Chart.yaml", "values.yaml"]);
  assert.equal(Buffer.from(all.fixed("Chart.yaml")).toString(), mended);
  assert.equal([...all].find(({ code }) => code === "yaml.duplicate_key").related.length, 1);
  assert.match(String(all), /appVersion: 1\.10 # soon/);
  assert.match(all.toText({ color: true }), /\x1b\[/);
  const [run] = JSON.parse(all.toSarif()).runs;
  assert.equal(run.results.length, all.length);
  assert.ok(run.results.some((result) => JSON.stringify(result).includes(`${directory.slice(1)}/values.yaml`)));
});

test("every code has a meaning, a remedy and an example", () => {
  for (const { code, kind, severity, meaning, remedy, example } of codes()) {
    assert.ok(code && (kind || severity) && meaning && remedy && example, code);
  }
});

test("files in memory become the same bytes as in a directory", async (t) => {
  const directory = temporary(t);
  const archive = await Archive.read(packaged.data);
  await archive.extract(directory);
  const created = "2026-01-01T00:00:00Z";
  const { data, filename, metadata } = await chartoci.package(join(directory, "web"), { created });
  for (const files of [archive.files, new Map(archive.files), Object.fromEntries(archive.files)]) {
    const packed = await chartoci.package(files, { created });
    assert.deepEqual([packed.data, packed.filename, packed.metadata], [data, filename, metadata]);
  }
  const text = "apiVersion: v2\nname: x\nversion: 1.0.0\n";
  const { metadata: set } = await chartoci.package({ "Chart.yaml": text }, { version: "2.0.0", appVersion: "3" });
  assert.deepEqual([set.name, set.version, set.appVersion], ["x", "2.0.0", "3"]);
  const bad = [{ "../Chart.yaml": text }, { "/Chart.yaml": text }, { "Chart.yaml": text, "Chart.yaml/x": "" }];
  for (const files of [...bad, { "Chart.yaml": 42 }, [42], [["Chart.yaml"]], packaged.data, null, 42]) {
    assert.equal((await failing(() => chartoci.package(files))).code, "misuse.argument", JSON.stringify(files));
  }
  const limits = { document: 10 };
  assert.equal((await failing(() => chartoci.package({ "Chart.yaml": text }, { limits }))).kind, "limit");
});

test("a path brings its provenance along", async (t) => {
  const path = await packaged.write(temporary(t));
  assert.equal((await Archive.read(path)).provenance, undefined);
  writeFileSync(`${path}.prov`, "signed");
  for (const source of [path, pathToFileURL(path)]) {
    const archive = await Archive.read(source);
    assert.equal(Buffer.from(archive.provenance).toString(), "signed");
  }
  assert.equal((await Archive.read(packaged.data)).provenance, undefined);
});

test("packing is deterministic, writing is whole, extracting gives the files back", async (t) => {
  const directory = temporary(t);
  const again = await chartoci.package(join(ROOT, "examples/web"), { created: "2026-01-01T00:00:00Z" });
  const once = await chartoci.package(pathToFileURL(join(ROOT, "examples/web/")), { created: new Date("2026-01-01T00:00:00Z") });
  assert.equal(once.digest, again.digest);
  const seconds = await chartoci.package(join(ROOT, "examples/web"), { created: Date.UTC(2026, 0) / 1000 });
  assert.equal(seconds.digest, again.digest);
  for (const source of [once, await Archive.read(once.data)]) {
    assert.deepEqual((await chartoci.check(source)).diagnostics, (await chartoci.check(once.data)).diagnostics);
  }
  const path = await once.write(join(directory, "new"));
  assert.deepEqual(readdirSync(join(directory, "new")), [once.filename]);
  const archive = await Archive.read(path);
  const extracted = await archive.extract(join(directory, "charts"));
  assert.equal(extracted, join(directory, "charts/web"));
  for (const [name, data] of archive.files) {
    assert.deepEqual(new Uint8Array(readFileSync(join(extracted, name))), data);
  }
  assert.equal((await failing(() => archive.extract(join(directory, "charts")))).kind, "conflict");
  assert.deepEqual(readdirSync(join(directory, "charts")), ["web"]);
});

test("real charts: Helm's manifest, config and words", { skip: !existsSync(CHARTS) && "no charts beside the repository" }, async () => {
  const [helm, ours] = [[], []];
  for (const line of readFileSync(join(CHARTS, "oracle.jsonl"), "utf8").trim().split("\n")) {
    const { file, manifest, config, show_chart: shown } = JSON.parse(line);
    if (manifest === undefined) continue;
    const archive = await Archive.read(join(CHARTS, file));
    const created = JSON.parse(manifest).annotations["org.opencontainers.image.created"];
    const provenance = join(CHARTS, `${file}.prov`);
    const built = await Artifact.build(archive, { created, provenance: existsSync(provenance) ? provenance : undefined });
    helm.push({ file, manifest, config, shown });
    const texts = [built.manifest, built.config].map((bytes) => Buffer.from(bytes).toString());
    ours.push({ file, manifest: texts[0], config: texts[1], shown: await show(archive, "chart") });
    archive.free();
  }
  assert.deepEqual(ours, helm);
  assert.ok(helm.length >= 70, `${helm.length} charts`);
});

test("nothing is written through a link", async (t) => {
  const directory = temporary(t);
  const [elsewhere, target] = ["elsewhere", "target"].map((name) => join(directory, name));
  mkdirSync(elsewhere);
  mkdirSync(target);
  const archive = await Archive.read(packaged.data);
  symlinkSync(elsewhere, join(target, archive.metadata.name));
  const refused = await failing(() => archive.extract(target));
  const place = join(target, archive.metadata.name);
  assert.deepEqual([refused.code, refused.context.path], ["files.exists", place]);
  assert.ok(refused.message.startsWith(`${place}: `) && refused.hint, refused.message);
  assert.deepEqual([readdirSync(elsewhere), readdirSync(target)], [[], [archive.metadata.name]]);
});

test("a directory that cannot be packed is named, and so is the file in it", async (t) => {
  const directory = temporary(t);
  const [empty, bad] = ["empty", "bad"].map((name) => join(directory, name));
  mkdirSync(empty);
  mkdirSync(bad);
  writeFileSync(join(bad, "Chart.yaml"), "apiVersion: v2\nname: bad\nversion: 1.0.0\n");
  writeFileSync(join(bad, "values.yaml"), "a: b: c\n");
  for (const use of [chartoci.package, show]) {
    for (const [source, code, path] of [[empty, "chart.missing", empty], [bad, "yaml.syntax", join(bad, "values.yaml")]]) {
      const error = await failing(() => use(source));
      assert.deepEqual([error.code, error.context.path], [code, path]);
      assert.ok(error.message.startsWith(`${path}: `), error.message);
    }
  }
});

test("a provenance beside a chart is read no further than it may be long", async (t) => {
  const file = join(temporary(t), "web.tgz");
  writeFileSync(file, packaged.data);
  writeFileSync(`${file}.prov`, new Uint8Array(3000));
  const archive = await Archive.read(file, { limits: { provenance: 1000 } });
  assert.equal(archive.provenance.length, 1001);
});

test("an artifact is built of what was packed", async () => {
  assert.ok((await Artifact.build(packaged)).equals(await Artifact.build(packaged.data)));
});

test("T-SECRET-1: a password in an address that stands for a path is not repeated", async () => {
  for (const address of ["https://ada:hunter2@reg.example/x", "ada:hunter2@reg.example/x"]) {
    for (const use of [Archive.read, chartoci.package, show, chartoci.check, (path) => new chartoci.Client().push(path, "localhost:1/x")]) {
      const error = await failing(() => use(address));
      assert.equal(error.code, "files.not_found");
      assert.ok(!`${error.stack} ${JSON.stringify(error)}`.includes("hunter2"), error.message);
    }
  }
});

test("a constraint is looked at before a registry is asked", async () => {
  assert.equal((await failing(() => new chartoci.Client().versions("localhost:1/x", ">>1"))).code, "version.constraint");
});
