// What is of a wrong type is the caller's mistake, named as such: no module reads memory that is not its own for it.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import * as chartoci from "../../bindings-wasm/js/node.js";
import * as sansio from "../../bindings-wasm/js/node-sansio.js";
import { schema } from "../../bindings-wasm/js/node-schema.js";
import { Registry } from "../../bindings-wasm/js/node-testing.js";
import { ROOT, failing, packaged, temporary } from "./support.js";

const { Archive, Artifact, Client, Constraint, Digest, Ignore, Lock, Metadata, Reference, Version } = chartoci;
const { check, package: pack, show } = chartoci;
const { Exchange, Session } = sansio;

const archive = await Archive.read(packaged.data);
const artifact = await Artifact.build(archive);
const registry = new Registry();
const { reference } = await client().push(packaged, "oci://registry.test/charts");
const descriptor = { mediaType: "text/plain", digest: String(Digest.of("x")), size: 1 };

function client(options) {
  const quiet = { fetch: registry.fetch, plainHttp: true, credentials: null, registryConfig: "/nowhere/config.json" };
  return new Client({ ...quiet, ...options });
}

const BASE = { method: "GET", target: "/v2/", headers: [] };
const CHARTS = "registry.test/charts/web";
const push = (options) => client().push(packaged, "oci://registry.test/charts", options);
const session = () => new Session({});

/** An exchange whose first request was answered. */
function begun(head = { status: 200, headers: [] }) {
  const exchange = Exchange.tags(session(), CHARTS);
  return { exchange, receiver: exchange.handleResponse(exchange.poll(0).request.id, head) };
}

/** Every place where a text, a path or bytes stand. Those that may be left out take undefined and null for that. */
const NEEDED = {
  "Digest.parse": (wrong) => Digest.parse(wrong),
  "Digest.of": (wrong) => Digest.of(wrong),
  "Reference.parse": (wrong) => Reference.parse(wrong),
  "Version.parse": (wrong) => Version.parse(wrong),
  "Version.compare, first": (wrong) => Version.compare(wrong, "1.0.0"),
  "Version.compare, second": (wrong) => Version.compare("1.0.0", wrong),
  "Version.prototype.compare": (wrong) => Version.parse("1.0.0").compare(wrong),
  "Version.prototype.equals": (wrong) => Version.parse("1.0.0").equals(wrong),
  "Constraint.parse": (wrong) => Constraint.parse(wrong),
  "Constraint.prototype.matches": (wrong) => Constraint.parse("*").matches(wrong),
  "Constraint.prototype.pick": (wrong) => Constraint.parse("*").pick(wrong),
  "Constraint.prototype.pick, one": (wrong) => Constraint.parse("*").pick(["1.0.0", wrong]),
  "Metadata.parse": (wrong) => Metadata.parse(wrong),
  "Metadata.peek": (wrong) => Metadata.peek(wrong),
  "Archive.read": (wrong) => Archive.read(wrong),
  "Archive.prototype.extract": (wrong) => archive.extract(wrong),
  "Files.prototype.get": (wrong) => archive.files.get(wrong),
  "Artifact.build": (wrong) => Artifact.build(wrong),
  "Artifact.parse": (wrong) => Artifact.parse(wrong),
  "Lock.parse": (wrong) => Lock.parse(wrong),
  "Lock.digestFor, first": (wrong) => Lock.digestFor(wrong, []),
  "Lock.digestFor, second": (wrong) => Lock.digestFor([], wrong),
  "Ignore.parse": (wrong) => Ignore.parse(wrong),
  "Ignore.prototype.matches": (wrong) => Ignore.parse("").matches(wrong),
  "Packaged.prototype.write": (wrong) => packaged.write(wrong),
  "show": (wrong) => show(wrong),
  "check": (wrong) => check(wrong),
  "Client.prototype.push, chart": (wrong) => client().push(wrong, "oci://registry.test/charts"),
  "Client.prototype.push, target": (wrong) => client().push(packaged, wrong),
  "Client.prototype.login": (wrong) => client().login(wrong, "ada", "secret"),
  "Client.prototype.login, password": (wrong) => client().login("registry.test", "ada", wrong),
  "Client.prototype.logout": (wrong) => client().logout(wrong),
  "Client.prototype.copy, source": (wrong) => client().copy(wrong, "oci://registry.test/web:2"),
  "Client.prototype.copy, target": (wrong) => client().copy(reference, wrong),
  "sansio.Push.chart": (wrong) => sansio.Push.chart(artifact, wrong),
  "sansio.Push.chart, artifact": (wrong) => sansio.Push.chart(wrong, "oci://registry.test/charts"),
  "sansio.Push.to": (wrong) => sansio.Push.to(artifact, wrong),
  "sansio.Exchange.pull": (wrong) => Exchange.pull(session(), wrong, {}),
  "sansio.Exchange.resolve": (wrong) => Exchange.resolve(session(), wrong, {}),
  "sansio.Exchange.tags": (wrong) => Exchange.tags(session(), wrong),
  "sansio.Exchange.fetch": (wrong) => Exchange.fetch(session(), wrong, descriptor),
  "sansio.Exchange.fetch, descriptor": (wrong) => Exchange.fetch(session(), "registry.test/web", wrong),
  "sansio.Exchange.fetchPart": (wrong) => Exchange.fetchPart(session(), wrong, descriptor, 0, 1),
  "sansio.Exchange.config": (wrong) => Exchange.config(session(), wrong, descriptor),
  "sansio.Exchange.config, descriptor": (wrong) => Exchange.config(session(), "registry.test/web", wrong),
  "sansio.Exchange.copy, source": (wrong) => Exchange.copy(session(), wrong, reference, {}),
  "sansio.Exchange.copy, target": (wrong) => Exchange.copy(session(), reference, wrong, {}),
  "sansio.Exchange.delete": (wrong) => Exchange.delete(session(), wrong),
  "sansio.Exchange.referrers": (wrong) => Exchange.referrers(session(), wrong),
  "sansio.Exchange.login": (wrong) => Exchange.login(session(), wrong),
  "sansio.Exchange.push": (wrong) => Exchange.push(session(), wrong, {}),
  "sansio.Exchange.prototype.onBehalfOf": (wrong) => begun().exchange.onBehalfOf(wrong),
  "sansio.Exchange.prototype.handleFailure": (wrong) => begun().exchange.handleFailure(0, { kind: wrong }),
  "sansio.Exchange.prototype.handleCredential": (wrong) =>
    begun().exchange.handleCredential(0, { username: "ada", password: wrong }),
  "sansio.Receiver.prototype.write": (wrong) => begun().receiver.write(wrong),
  "ChartOciError.from": (wrong) => chartoci.ChartOciError.from(wrong),
  "sansio.Digester.prototype.update": (wrong) => new sansio.Digester().update(wrong),
  "schema.validate, schema": (wrong) => schema.validate(wrong, Buffer.from("{}")),
  "schema.validate, values": (wrong) => schema.validate(Buffer.from("{}"), wrong),
  "Registry.prototype.serve": (wrong) => registry.serve({ method: wrong, target: "/v2/", headers: [] }),
};
const READING = ["pull", "open", "metadata", "check", "inspect", "artifact", "resolve", "tags", "versions"];
for (const verb of [...READING, "delete", "referrers"]) {
  NEEDED[`Client.prototype.${verb}`] = (wrong) => client()[verb](wrong);
}
NEEDED["Client.prototype.explainCredentials"] = (wrong) => client().explainCredentials(wrong);

const OPTIONAL = {
  "Digest.of, algorithm": (wrong) => Digest.of("x", wrong),
  "Artifact.build, provenance": (wrong) => Artifact.build(archive, { provenance: wrong }),
  "Artifact.build, created": (wrong) => Artifact.build(archive, { created: wrong === 5 ? 5.5 : wrong }),
  "show, section": (wrong) => show(archive, wrong),
  "check, kind": (wrong) => check(packaged.data, wrong),
  "check, filename": (wrong) => check(packaged.data, "chart", { filename: wrong }),
  "check, reference": (wrong) => check(packaged.data, "chart", { reference: wrong }),
  "check, manifest": (wrong) => check(packaged.data, "chart", { manifest: wrong }),
  "check, config": (wrong) => check(packaged.data, "chart", { config: wrong }),
  "check, provenance": (wrong) => check(packaged.data, "chart", { provenance: wrong }),
  "package, created": (wrong) => pack(archive.files, { created: wrong === 5 ? 5.5 : wrong }),
  "package, version": (wrong) => pack(archive.files, { version: wrong }),
  "package, appVersion": (wrong) => pack(archive.files, { appVersion: wrong }),
  "Report.prototype.fixed": async (wrong) => (await check(Buffer.from("name: web"), "chart.yaml")).fixed(wrong),
  "Client, userAgent": (wrong) => client({ userAgent: wrong }).tags(CHARTS),
  "Client, plainHttp": (wrong) => client({ plainHttp: wrong }).tags(CHARTS),
  "Client, allow": (wrong) => client({ allow: wrong }).tags(CHARTS),
  "Client, registryConfig": (wrong) => new Client({ registryConfig: wrong }).explainCredentials(reference),
  "Client, caFile": (wrong) => new Client({ caFile: wrong }).tags("registry.invalid/web", { timeout: 0.1 }),
  "Client, proxy": (wrong) => new Client({ proxy: wrong }).tags("registry.invalid/web", { timeout: 0.1 }),
  "Client, fetch": (wrong) => client({ fetch: wrong }),
  "Client.prototype.tags, signal": (wrong) => client().tags(CHARTS, { signal: wrong }),
  "Client.prototype.tags, onProgress": (wrong) => client().tags(CHARTS, { onProgress: wrong }),
  "Client.prototype.tags, timeout": (wrong) => client().tags(CHARTS, { timeout: wrong === 5 ? -5 : wrong }),
  "Client.prototype.push, created": (wrong) => push({ created: wrong === 5 ? 5.5 : wrong }),
  "Client.prototype.push, ifExists": (wrong) => push({ ifExists: wrong }),
  "Client.prototype.push, provenance": (wrong) => push({ provenance: wrong }),
  "Client.prototype.pull, version": (wrong) => client().pull(CHARTS, { version: wrong }),
  "Client.prototype.pull, directory": (wrong) => client().pull(reference, { directory: wrong }),
  "Client.prototype.resolve, version": (wrong) => client().resolve(CHARTS, { version: wrong }),
  "Client.prototype.versions, constraint": (wrong) => client().versions(CHARTS, wrong),
  "Client.prototype.referrers, artifactType": (wrong) => client().referrers(reference, { artifactType: wrong }),
  "Client.prototype.login, username": (wrong) => client().login("registry.test", wrong, "secret"),
  "sansio.Digester": (wrong) => new sansio.Digester(wrong),
  "Registry, username": (wrong) => new Registry({ username: wrong, password: "x" }).serve(BASE),
  "sansio.Exchange.prototype.handleResponse": (wrong) => begun({ status: 200, headers: wrong }),
  "Registry.prototype.serve, headers": (wrong) => registry.serve({ ...BASE, headers: wrong }),
  "Registry, faults": (wrong) => new Registry({ faults: wrong }),
  "Registry, hosts": (wrong) => new Registry({ hosts: wrong }).serve(BASE),
};

/** It still reads, packs and pushes. */
async function works() {
  assert.equal(Reference.parse("a.example/web:1_b").version, "1+b");
  assert.equal((await Archive.read(packaged.data)).digest, packaged.digest);
  assert.equal((await client().tags(CHARTS)).length, 1);
}

for (const [places, values] of [[NEEDED, [5, null, undefined, {}]], [OPTIONAL, [5, {}]]]) {
  for (const [place, use] of Object.entries(places)) {
    test(`${place} takes nothing else`, async () => {
      for (const wrong of values) {
        const { kind, code } = await failing(async () => use(wrong));
        assert.equal(kind, "misuse", `${String(wrong)}: ${code}`);
        await works();
      }
    });
  }
}

// What takes no text: numbers, options, what compares, and functions that are called with what the machine has given.
const NO_TEXT = ["equals", "poll", "source", "setTimeout", "abort", "handleEnd", "toText", "listen", "init", "finish"];

test("the list above leaves out nothing that takes texts", () => {
  const places = [...Object.keys(NEEDED), ...Object.keys(OPTIONAL)].map((place) => place.split(",")[0]);
  const missing = [];
  for (const [prefix, library] of [["", chartoci], ["sansio.", sansio], ["", { Registry }]]) {
    for (const [name, own] of Object.entries(library).filter(([, own]) => typeof own === "function")) {
      const ownNames = Object.getOwnPropertyNames(own).filter((each) => each !== "prototype");
      const statics = ownNames.filter((each) => typeof own[each] === "function" && own[each].length > 0);
      const described = Object.entries(Object.getOwnPropertyDescriptors(own.prototype ?? {}));
      const methods = described.filter(([each, { value }]) => value?.length > 0 && each !== "constructor");
      const taking = [...statics, ...methods.map(([each]) => `prototype.${each}`)];
      for (const each of taking.filter((each) => !each.startsWith("__") && !NO_TEXT.includes(each.split(".").at(-1)))) {
        if (!places.includes(`${prefix}${name}.${each}`)) missing.push(`${prefix}${name}.${each}`);
      }
    }
  }
  assert.deepEqual(missing, []);
});

const STRANGE = {
  "Version.parse": [(options) => Version.parse("1", options), "Strict", "strict"],
  "Metadata.parse": [(options) => Metadata.parse("name: a", options), "limit", "limits"],
  "Metadata.peek": [(options) => Metadata.peek(packaged.data, options), "limit", "limits"],
  "Archive.read": [(options) => Archive.read(packaged.data, options), "limit", "limits"],
  "Artifact.build": [(options) => Artifact.build(archive, options), "create", "created"],
  "Artifact.parse": [(options) => Artifact.parse(artifact.manifest, options), "limit", "limits"],
  "Lock.parse": [(options) => Lock.parse("", options), "limit", "limits"],
  "Ignore.prototype.matches": [(options) => Ignore.parse("").matches("a", options), "isDirectory", "isDir"],
  "show": [(options) => show(archive, "all", options), "limit", "limits"],
  "package": [(options) => pack(archive.files, options), "app_version", "appVersion"],
  "check": [(options) => check(packaged.data, "chart", options), "fileName", "filename"],
  "schema.validate": [(options) => schema.validate(Buffer.from("{}"), Buffer.from("{}"), options), "limit", "limits"],
  "Report.prototype.toText": [(options) => archive.report.toText(options), "colour", "color"],
  "Client": [(options) => new Client(options), "plain_http", "plainHttp"],
  "Client, retry": [(retry) => new Client({ retry }), "backoff_max", "backoffMax"],
  "Client.prototype.push": [(options) => push(options), "if-exists", "ifExists"],
  "Client.prototype.pull": [(options) => client().pull(reference, options), "check_tag", "checkTag"],
  "Client.prototype.versions": [(options) => client().versions(CHARTS, "*", options), "prereleases", "prerelease"],
  "Client.prototype.copy": [(options) => client().copy(reference, `${CHARTS}:2`, options), "referrer", "referrers"],
  "Client.prototype.referrers": [(options) => client().referrers(reference, options), "artifact_type", "artifactType"],
  "Client.prototype.login": [(options) => client().login("a.example", "ada", "x", options), "progress", "onProgress"],
  "Registry": [(options) => new Registry(options), "cors_origins", "corsOrigins"],
  "Registry.prototype.listen": [(options) => new Registry().listen(options), "ports", "port"],
};
for (const verb of ["open", "metadata", "check", "inspect", "artifact", "resolve", "tags", "delete"]) {
  STRANGE[`Client.prototype.${verb}`] = [(options) => client()[verb](CHARTS, options), "singal", "signal"];
}
for (const [place, [use, strange, meant]] of Object.entries(STRANGE)) {
  test(`${place} refuses an option that there is not, and says which there are`, async () => {
    const { code, message } = await failing(async () => use({ [strange]: true }));
    assert.equal(code, "misuse.argument", message);
    const plain = (name) => name.replace(/[-_]/g, "").toLowerCase();
    const told = plain(strange) === plain(meant) ? `: is ${meant} meant?` : "; there are ";
    assert.ok(message.startsWith(`there is no option "${strange}" here${told}`), message);
    const { message: listed } = await failing(async () => use({ ["\u{1f9ed}".repeat(1000)]: 1 }));
    assert.ok(listed.includes(meant) && listed.length < 400, listed);
  });
}

test("null stands for what was not given", async () => {
  const none = { signal: null, onProgress: null, timeout: null };
  assert.equal((await client({ timeout: null, retry: null, limits: null, allow: null }).tags(CHARTS, none)).length, 1);
  assert.equal((await client(null).tags(CHARTS, null)).length, 1);
  const { archive: data } = await client().pull(CHARTS, { ...none, version: null, provenance: null });
  assert.equal(data.length, packaged.data.length);
});

test("what cannot be had in JavaScript is not taken in silence", async () => {
  for (const option of ["directory", "tls"]) {
    assert.equal((await failing(async () => new Registry({ [option]: true }))).code, "misuse.argument");
  }
  for (const option of ["caFile", "certFile", "keyFile", "proxy"]) {
    const { code, message } = await failing(() => client({ [option]: "/nowhere" }).tags(CHARTS));
    assert.deepEqual([code, message.split(":")[0]], ["misuse.argument", option]);
  }
});

test("an index is no option where `map` hands it in, and a number nowhere else", async () => {
  assert.deepEqual(["1", "2"].map(Version.parse).map(String), ["1", "2"]);
  assert.equal((await Promise.all([packaged.data].map(Archive.read)))[0].size, packaged.data.length);
  for (const use of [
    () => new Client(5),
    () => client({ retry: 3 }),
    () => client().pull(CHARTS, 5),
    () => client().tags(CHARTS, 5),
    () => client().push(packaged, "oci://registry.test/charts", 5),
    () => Ignore.parse("").matches("a", 5),
    () => show(archive, "all", 5),
    () => check(packaged.data, "chart", 5),
  ]) {
    const { code, message } = await failing(async () => use());
    assert.deepEqual([code, message.split(":")[1]], ["misuse.argument", " a value of type Number holds none"], String(use));
  }
  assert.ok((await failing(async () => client({ retry: 3 }))).message.startsWith("retry: "));
});

test("what has a written form stands for it: references, versions, constraints, URLs", async (t) => {
  const pushed = await client().push(packaged, Reference.parse("oci://registry.test/written"));
  assert.equal((await client().push(packaged, new URL("oci://registry.test/written"))).digest, pushed.digest);
  const version = Version.parse("1.2.0+demo.1");
  const { archive: data } = await client().pull("registry.test/written/web", { version });
  assert.deepEqual(data, packaged.data);
  const resolved = await client().resolve("registry.test/written/web", { version: Constraint.parse("^1") });
  assert.equal(resolved.digest, pushed.digest);
  const { path } = await client().pull(Reference.parse(pushed.reference), { directory: pathToFileURL(temporary(t)) });
  assert.ok(path.endsWith(packaged.filename));
});

test("a URL that is no file's is no path", async () => {
  const error = await failing(() => check(new URL("https://charts.example/web-1.0.0.tgz")));
  assert.equal(error.code, "misuse.argument");
  assert.equal((await show(pathToFileURL(join(ROOT, "examples/web")), "chart")).includes("name: web"), true);
});
