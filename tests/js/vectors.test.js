// The vectors that every language runs; tests/vectors/README.md explains them.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";

import {
  Archive,
  Artifact,
  ChartOciError,
  check,
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
import { readJson } from "./support.js";

const orNull = (value) => value ?? null;
const text = (bytes) => new TextDecoder().decode(bytes);

const RUN = {
  reference(input) {
    const { registry, repository, tag, digest, version, ...rest } = Reference.parse(input);
    assert.deepEqual(rest, {});
    const found = { registry, repository, tag: orNull(tag), digest: orNull(digest), version: orNull(version) };
    return { ...found, text: String(Reference.parse(input)) };
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
  metadata({ chart_yaml, requirements_yaml }) {
    if (requirements_yaml !== null) return undefined;
    const metadata = Metadata.parse(chart_yaml);
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
    const above = [...path.matchAll("/")].some(({ index }) => rules.matches(path.slice(0, index), { isDirectory: true }));
    return { ignored: above || rules.matches(path) };
  },
  lock: (input) => void Lock.parse(input),
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
    return { json: JSON.stringify(values) };
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
      if (kind) return check(Buffer.from(document), kind);
      if (!files) {
        const signed = provenance === undefined ? undefined : Buffer.from(provenance);
        return check(Buffer.from(chart, "base64"), "chart", { ...parts, provenance: signed });
      }
      const directory = mkdtempSync(join(tmpdir(), "chartoci-"));
      try {
        for (const [path, content] of Object.entries(files)) {
          mkdirSync(dirname(join(directory, path)), { recursive: true });
          writeFileSync(join(directory, path), content);
        }
        return await check(directory);
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

for (const [area, run] of Object.entries(RUN)) {
  test(area, async () => {
    for (const { name, why, input, expect } of readJson(`tests/vectors/${area}.json`)) {
      let got;
      try {
        got = await run(input);
      } catch (error) {
        if (!(error instanceof ChartOciError)) throw error;
        got = { error: error.code };
      }
      if (area === "values" && expect.json) {
        const wanted = JSON.parse(expect.json);
        assert.deepEqual(JSON.parse(got.json), wanted, `${name}: ${why}`);
        continue;
      }
      if (got !== undefined) assert.deepEqual(got, area === "version" ? asNumbers(expect) : expect, `${name}: ${why}`);
    }
  });
}
