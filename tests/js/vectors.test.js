// The vectors that every language runs; tests/vectors/README.md explains them.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";

import {
  Archive,
  Artifact,
  ChartOciError,
  check,
  Client,
  Constraint,
  Digest,
  Ignore,
  Lock,
  Metadata,
  package as pack,
  Reference,
  show,
  Version,
} from "../../bindings-wasm/js/node.js";
import { schema } from "../../bindings-wasm/js/node-schema.js";
import { Registry } from "../../bindings-wasm/js/node-testing.js";
import { packaged, readJson, tar } from "./support.js";

const orNull = (value) => value ?? null;
const text = (bytes) => new TextDecoder().decode(bytes);

/** Packed as it is, whatever is wrong with it. */
const packing = (files) => gzipSync(tar(Object.fromEntries(Object.entries(files).map(([path, text]) => [`x/${path}`, text]))));
const CHART_YAML = "apiVersion: v2\nname: x\nversion: 1.0.0\n";

/** As JSON has them: there are no large whole numbers in it. */
const plain = (values) => JSON.stringify(values, (_, value) => (typeof value === "bigint" ? Number(value) : value));

/** A chart's metadata with the value in it: import-values takes any. JSON is YAML, save that YAML knows no surrogates. */
function within(value) {
  const dependencies = [{ name: "x", version: "1.0.0", "import-values": [value] }];
  const chart = JSON.stringify({ apiVersion: "v2", name: "x", version: "1.0.0", dependencies });
  const escaped = (character) => `\\U${character.codePointAt(0).toString(16).padStart(8, "0")}`;
  return Metadata.parse(chart.replace(/[^ -~]/gu, escaped));
}

/** A client that asks a registry in memory whatever host it is sent to; and what it asked for. */
function asking(registry) {
  const asked = [];
  const fetch = (url, init) => {
    const { pathname, search } = new URL(url);
    asked.push(pathname);
    return registry.fetch(`http://${registry.host}${pathname}${search}`, init);
  };
  return { asked, client: new Client({ fetch, plainHttp: true, credentials: null }) };
}

/** A registry where one repository has these tags. */
async function tagged(tags) {
  const registry = new Registry();
  const { client } = asking(registry);
  const { reference } = await client.push(packaged, `oci://${registry.host}/charts`);
  const { manifest } = await client.artifact(reference);
  await client.delete(reference);
  for (const tag of tags) {
    const headers = { "content-type": "application/vnd.oci.image.manifest.v1+json" };
    const url = `http://${registry.host}/v2/charts/web/manifests/${tag}`;
    const { status } = await registry.fetch(url, { method: "PUT", body: manifest, headers });
    assert.equal(status, 201, tag);
  }
  return registry;
}
const registries = new Map();

const RUN = {
  reference(input) {
    const { registry, repository, tag, digest, version, ...rest } = Reference.parse(input);
    assert.deepEqual(rest, {});
    const found = { registry, repository, tag: orNull(tag), digest: orNull(digest), version: orNull(version) };
    return { ...found, text: String(Reference.parse(input)) };
  },
  async push_target({ target, name, version }) {
    const chart = packing({ "Chart.yaml": `apiVersion: v2\nname: ${name}\nversion: ${version}\n` });
    const { client } = asking(new Registry());
    return { reference: (await client.push(chart, target)).reference };
  },
  async selector({ version, devel, tags }) {
    const key = tags.join();
    if (!registries.has(key)) registries.set(key, await tagged(tags));
    const registry = registries.get(key);
    const { client, asked } = asking(registry);
    const resolved = await client
      .resolve(`oci://${registry.host}/charts/web`, { version: version ?? undefined, devel })
      .catch((error) => (error.kind === "not_found" ? error : Promise.reject(error)));
    const listed = asked.some((path) => path.endsWith("/tags/list"));
    if (resolved.code === "registry.version_unknown") return { tag: null, listed };
    // An exact version is asked for, whether it is there or not.
    const manifest = asked.find((path) => path.includes("/manifests/"));
    return { tag: resolved.tag ?? manifest.split("/").pop(), listed };
  },
  digest(input) {
    const { algorithm, hex } = Digest.parse(input);
    return { algorithm, hex };
  },
  digest_of: ({ data, algorithm }) => ({ digest: String(Digest.of(data, algorithm)) }),
  version(input) {
    const { major, minor, patch, prerelease, build, tag } = Version.parse(input);
    let strict = true;
    try {
      Version.parse(input, { strict });
    } catch {
      strict = false;
    }
    return { major, minor, patch, prerelease, build, strict, tag };
  },
  version_order: (input) => input.map((text) => Version.parse(text)).sort(Version.compare).map(String),
  tag: (input) => Version.parse(input).tag,
  constraint({ constraint, versions }) {
    const wanted = Constraint.parse(constraint);
    return { matches: versions.filter((version) => wanted.matches(version)) };
  },
  manifest(input) {
    const { what, chartLayer, provenanceLayer, report } = Artifact.parse(input);
    const findings = [...report].map(({ code, pointer }) => [code, pointer]);
    return { what, chart: orNull(chartLayer?.digest), provenance: orNull(provenanceLayer?.digest), findings };
  },
  async metadata({ chart_yaml, requirements_yaml }) {
    const packed = () => packing({ "Chart.yaml": chart_yaml, "requirements.yaml": requirements_yaml });
    const metadata = requirements_yaml === null ? Metadata.parse(chart_yaml) : (await Archive.read(packed())).metadata;
    return { config: text(metadata.config()), yaml: metadata.toYaml() };
  },
  async artifact({ archive, provenance, created }) {
    const built = await Artifact.build(Buffer.from(archive, "base64"), {
      provenance: provenance === null ? undefined : Buffer.from(provenance),
      created: new Date(created * 1000),
    });
    return { config: text(built.config), manifest: text(built.manifest), digest: built.digest };
  },
  ignore({ patterns, path }) {
    const rules = Ignore.parse(patterns);
    const above = [...path.matchAll("/")].some(({ index }) => rules.matches(path.slice(0, index), { isDir: true }));
    return { ignored: above || rules.matches(path) };
  },
  async lock(input) {
    Lock.parse(input);
    const { data } = await pack({ "Chart.yaml": CHART_YAML, "Chart.lock": input });
    return { yaml: text((await Archive.read(data)).files["Chart.lock"]) };
  },
  lock_digest({ chart_yaml, chart_lock }) {
    return { digest: Lock.digestFor(Metadata.parse(chart_yaml).dependencies, Lock.parse(chart_lock).dependencies) };
  },
  async show({ archive }) {
    const data = Buffer.from(archive, "base64");
    const sections = ["all", "chart", "values", "readme", "crds"];
    return Object.fromEntries(await Promise.all(sections.map(async (name) => [name, await show(data, name)])));
  },
  async values({ archive }) {
    const { values } = await Archive.read(Buffer.from(archive, "base64"));
    return { json: plain(values) };
  },
  async yaml_scalar(input, expect) {
    // Values are a mapping, Helm reads every document of a values.yaml, and ends the last line of a text in it.
    const isMapping = typeof expect !== "string" || expect.startsWith("{");
    if (!isMapping || /^---/m.test(input) || /\|\n.*[^\n]$/.test(input)) return undefined;
    const { values } = await Archive.read(packing({ "Chart.yaml": CHART_YAML, "values.yaml": input }));
    return plain(values);
  },
  json(input) {
    const written = text(within(input).config());
    return written.slice(written.indexOf('"import-values":[') + 17, written.lastIndexOf("]}]"));
  },
  yaml_emit(input) {
    const written = within(input).toYaml();
    return written.slice(written.indexOf("import-values:\n  - ") + 19, written.indexOf("\n  name: x\n") + 1);
  },
  async limits({ archive, kind, document, limits }) {
    if (archive) {
      await Archive.read(Buffer.from(archive, "base64"), { limits });
      return { error: null };
    }
    const { errors } = await check(Buffer.from(document), kind, { limits });
    return { error: errors[0]?.code ?? null };
  },
  async check({ files, kind, text: document, chart, provenance, ...parts }) {
    const report = async () => {
      if (kind) return check(Buffer.from(document), kind, { schema });
      if (!files) {
        const signed = provenance === undefined ? undefined : Buffer.from(provenance);
        return check(Buffer.from(chart, "base64"), "chart", { ...parts, provenance: signed, schema });
      }
      const directory = mkdtempSync(join(tmpdir(), "chartoci-"));
      try {
        for (const [path, content] of Object.entries(files)) {
          mkdirSync(dirname(join(directory, path)), { recursive: true });
          writeFileSync(join(directory, path), content);
        }
        return await check(directory, undefined, { schema });
      } finally {
        rmSync(directory, { recursive: true });
      }
    };
    return [...(await report())].map(({ code, document: name, pointer, line, column, fix }) => {
      const place = line === undefined ? null : [line, column];
      return [code, name, pointer, place, orNull(fix?.replacement)];
    });
  },
  async package({ files, version, app_version, created }) {
    const directory = mkdtempSync(join(tmpdir(), "chartoci-"));
    try {
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(directory, path)), { recursive: true });
        writeFileSync(join(directory, path), content.text?.repeat(content.times) ?? content);
      }
      const options = { version: version ?? undefined, appVersion: app_version ?? undefined };
      const packed = await pack(directory, { ...options, created: new Date(created * 1000) });
      const tar = `sha256:${createHash("sha256").update(gunzipSync(packed.data)).digest("hex")}`;
      return { filename: packed.filename, tar, digest: packed.digest };
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
};

/** A number holds no more than 2^53: what is larger is compared as the nearest one. */
function asNumbers(expect) {
  const { major, minor, patch, ...rest } = expect;
  return major === undefined ? expect : { major: Number(major), minor: Number(minor), patch: Number(patch), ...rest };
}

/** What is compared. JavaScript has an order of its own for members whose names are numbers. */
function comparable(area, value) {
  if (area === "version") return asNumbers(value);
  if (area === "values" && value.json) return JSON.parse(value.json);
  if (area === "yaml_scalar" && typeof value === "string") return JSON.parse(value);
  return value;
}

for (const [area, run] of Object.entries(RUN)) {
  test(area, async () => {
    let count = 0;
    for (const { name, why, input, expect: whole, item } of readJson(`tests/vectors/${area}.json`)) {
      const expect = area === "yaml_emit" ? (item ?? whole.replace(/([\n\u2028])(?=[^\n])/g, "$1    ")) : whole;
      let got;
      try {
        got = await run(input, expect);
      } catch (error) {
        if (!(error instanceof ChartOciError)) throw error;
        got = { error: error.code };
      }
      if (got === undefined) continue;
      count += 1;
      assert.deepEqual(comparable(area, got), comparable(area, expect), `${name}: ${why}`);
    }
    assert.ok(count > 0);
  });
}
