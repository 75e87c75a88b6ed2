// Bad answers and bad peers: a kind, a code, a remedy, no file under its final name, no socket that stays open.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import files from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { setTimeout as pause } from "node:timers/promises";
import { test } from "node:test";

import { beside } from "../../bindings-wasm/js/files-node.js";
import { Archive, Artifact, Client, package as packageDirectory } from "../../bindings-wasm/js/node.js";
import { Registry } from "../../bindings-wasm/js/node-testing.js";
import { CHART, carry, everyDriver, origin, soon, withChromium } from "./drivers.js";
import { failing, packaged, peer, readJson, requests, saysWhatToDo, temporary } from "./support.js";

const QUICK = { credentials: null, retry: { attempts: 1 } };

withChromium();

/** A verb of the table, as a driver is told. */
function call(verb, host, directory) {
  if (verb === "push") return ["push", CHART, `oci://${host}/charts`];
  if (verb === "pull") return ["pull", `oci://${host}/charts/web:1.0.0`, ...(directory ? [{ directory }] : [])];
  return ["versions", `oci://${host}/charts/web`, "*"];
}

/**
 * To a page no challenge and a hidden one look alike: it takes both for Basic's, and is told what must be shown. Nor can it
 * tell whether a Location is missing or hidden.
 */
function inPage(name, expect) {
  const says = ["Access-Control-Expose-Headers"];
  if (name.includes(": 401 ")) return { ...expect, code: "auth.required", says };
  return expect.code === "protocol.location" ? { ...expect, says } : expect;
}

for (const { name, verb, answers, ...row } of readJson("tests/errors/cases.json")) {
  everyDriver(name, async (t, ask, driver) => {
    const { host } = await origin(t, (method, path) => {
      const answer = answers.find(({ match }) => `${method} ${path}`.startsWith(match));
      return answer && [answer.status, answer.headers, answer.body];
    });
    const expect = driver === "Chromium" ? inPage(name, row.expect) : row.expect;
    const directory = driver === "Chromium" ? undefined : temporary(t);
    const error = await failing(() => ask(...call(verb, host, directory)));
    assert.deepEqual([error.kind, error.code], [expect.kind, expect.code], error.message);
    saysWhatToDo(error, expect.says);
    if (directory) assert.deepEqual(readdirSync(directory), []);
  });
}

const damages = {
  "a flipped byte": [(data) => data.map((byte, at) => (at === 99 ? byte ^ 1 : byte)), "integrity.digest_mismatch"],
  "a short body": [(data) => data.subarray(0, -1), "integrity.size_mismatch"],
  "an overlong body": [(data) => new Uint8Array([...data, 0]), "integrity.size_mismatch"],
  "nothing at all": [() => new Uint8Array(), "integrity.size_mismatch"],
};
for (const [name, [damage, code]] of Object.entries(damages)) {
  test(`${name} never gets a name`, async (t) => {
    const registry = new Registry();
    const options = { ...QUICK, plainHttp: true };
    const { reference } = await new Client({ ...options, fetch: registry.fetch }).push(packaged, `oci://${registry.host}/charts`);
    const fetch = async (url, init) => {
      const response = await registry.fetch(url, init);
      const body = new Uint8Array(await response.arrayBuffer());
      const whole = body.length === packaged.data.length;
      return new Response(whole ? damage(body) : body, { status: response.status, headers: response.headers });
    };
    const directory = temporary(t);
    const client = new Client({ ...options, fetch });
    assert.equal((await failing(() => client.pull(reference))).code, code);
    for (const untar of [false, true]) {
      const error = await failing(() => client.pull(reference, { directory, untar }));
      assert.equal(error.code, code);
      assert.deepEqual(readdirSync(directory), []);
    }
  });
}

test("a connection that breaks in the middle is resumed", async (t) => {
  const registry = await new Registry().listen();
  t.after(() => registry.close());
  const { tag } = await new Client({ credentials: null }).push(packaged, `oci://${registry.host}/charts`);
  let broken = 0;
  const { host } = await peer(t, (socket) =>
    requests(socket, async (head) => {
      const [method, target] = head.split(" ");
      const range = /^range: (.*)$/im.exec(head)?.[1];
      const answer = await fetch(`http://${registry.host}${target}`, { method, headers: range ? { range } : {} });
      const body = new Uint8Array(await answer.arrayBuffer());
      const lines = [...answer.headers].map(([field, value]) => `${field}: ${value}\r\n`);
      socket.write(`HTTP/1.1 ${answer.status} X\r\n${lines.join("")}\r\n`);
      const chart = body.length === packaged.data.length;
      if (chart && broken++ === 0) {
        socket.write(body.subarray(0, 300), () => pause(20).then(() => socket.resetAndDestroy()));
      } else {
        socket.write(body);
      }
    }),
  );
  const client = new Client({ credentials: null, retry: { backoff: 0.01 } });
  t.after(() => client.close());
  const events = [];
  const { archive } = await client.pull(`${host}/charts/web:${tag}`, { onProgress: (event) => events.push(event.kind) });
  assert.deepEqual(archive, packaged.data);
  assert.ok(broken >= 1);
  assert.ok(events.includes("retrying"));
});

test("a version that is not there is told from a range that nothing satisfies", async () => {
  const registry = new Registry();
  const client = new Client({ ...QUICK, plainHttp: true, fetch: registry.fetch });
  const { reference } = await client.push(packaged, `oci://${registry.host}/charts`);
  const repository = reference.replace(/:[^:/]*$/, "");
  const missing = [
    [{ version: "9.9.9" }, "registry.manifest_unknown"],
    [{ version: "^9" }, "registry.version_unknown"],
  ];
  for (const [options, code] of missing) {
    for (const verb of ["pull", "open", "metadata", "resolve"]) {
      const error = await failing(() => client[verb](repository, options));
      assert.deepEqual([error.kind, error.code], ["not_found", code], verb);
      assert.ok(error.hint);
    }
  }
});

test("a full disk is told, and nothing stays on it", async (t) => {
  const registry = new Registry();
  const client = new Client({ ...QUICK, plainHttp: true, fetch: registry.fetch });
  const { reference } = await client.push(packaged, `oci://${registry.host}/charts`);
  const directory = temporary(t);
  const real = files.open;
  const replace = (open) => {
    files.open = open;
    syncBuiltinESMExports();
  };
  t.after(() => replace(real));
  // What is written beside the archive's place is a device that never has room.
  replace(async (path, ...words) => {
    if (!String(path).endsWith(".part")) return real(path, ...words);
    await (await real(path, ...words)).close();
    const full = await real("/dev/full", "r+");
    full.truncate = async () => {};
    return full;
  });
  for (const untar of [false, true]) {
    const error = await failing(() => client.pull(reference, { directory, untar }));
    assert.deepEqual([error.kind, error.code], ["transport", "transport.storage"]);
    assert.ok(error.message.includes("ENOSPC") && error.hint, error.message);
    assert.deepEqual(readdirSync(directory), []);
  }
});

test("nobody at home is said at once", async () => {
  const error = await failing(() => new Client(QUICK).tags("oci://127.0.0.1:1/x"));
  assert.deepEqual([error.kind, error.code], ["transport", "transport.connect"]);
  const unknown = await failing(() => new Client(QUICK).tags("oci://host.invalid/x"));
  assert.equal(unknown.code, "transport.connect");
});

/** A peer that takes everything and never answers. */
const silent = (t) => peer(t, (socket) => socket.resume());

for (const [name, options] of Object.entries({ "node:http": {}, fetch: { fetch } })) {
  test(`abort shuts the socket down, over ${name}`, async (t) => {
    const { host, sockets } = await silent(t);
    const client = new Client({ ...options, credentials: null });
    const control = new AbortController();
    const pushing = failing(() => client.push(packaged, `oci://${host}/charts`, { signal: control.signal }));
    while (sockets.size === 0) await pause(5);
    const open = [...sockets];
    const closed = Promise.all(open.map((socket) => once(socket, "close")));
    const begin = performance.now();
    control.abort(new Error("enough"));
    const error = await pushing;
    const took = performance.now() - begin;
    assert.deepEqual([error.kind, error.name, error.cause.message], ["aborted", "AbortError", "enough"]);
    await closed;
    assert.ok(took < 100, `${took} ms until the promise was settled`);
    assert.ok(performance.now() - begin < 200, "until the sockets were closed");
  });
}

everyDriver("an abort ends a verb at once though the peer never answers", async (t, _, driver) => {
  const { host, seen } = await origin(t, () => new Promise(() => {}));
  const chart = `${host}/charts/web:1.0.0`;
  for (const call of [["push", CHART, `oci://${host}/charts`], ["pull", chart], ["tags", `${host}/charts/web`]]) {
    seen.length = 0;
    await soon(async () => {
      const { outcomes, took } = await carry(driver, { calls: [call], abortAfter: 800 });
      assert.equal(outcomes[0].error.kind, "aborted", call[0]);
      return took;
    }, call[0]);
    assert.ok(seen.length > 0, call[0]);
  }
});

everyDriver("an abort in the middle of a chart ends it at once and leaves nothing behind", async (t, _, driver) => {
  const artifact = await Artifact.build(packaged.data);
  const { layers } = JSON.parse(Buffer.from(artifact.manifest));
  const type = { "content-type": "application/vnd.oci.image.manifest.v1+json" };
  const { host } = await origin(t, (method, path) => {
    if (!path.includes("/blobs/")) return [200, type, Buffer.from(artifact.manifest)];
    // Half of it, and then silence.
    return [200, { "content-length": layers[0].size }, packaged.data.subarray(0, layers[0].size / 2)];
  });
  for (const options of driver === "Chromium" ? [{}] : [{}, { directory: true }, { directory: true, untar: true }]) {
    const directory = temporary(t);
    const given = options.directory ? { ...options, directory } : options;
    const calls = [["pull", `${host}/charts/web:1.0.0`, given]];
    await soon(async () => {
      const { outcomes, took } = await carry(driver, { calls, abortAfter: 300 });
      assert.equal(outcomes[0].error.kind, "aborted");
      return took;
    });
    await pause(50);
    assert.deepEqual(readdirSync(directory), []);
  }
});

test("a file that is just being made when it is given up is gone as well", async (t) => {
  const directory = temporary(t);
  for (const early of [true, false]) {
    const file = beside(directory);
    const writing = file.write(packaged.data).catch(() => {});
    if (!early) await writing;
    await file.discard();
    await writing;
    await assert.rejects(file.write(packaged.data));
    assert.deepEqual(readdirSync(directory), []);
  }
});

test("what was aborted before it began sends nothing", async (t) => {
  const { host, sockets } = await silent(t);
  const error = await failing(() => new Client(QUICK).tags(`oci://${host}/x`, { signal: AbortSignal.abort() }));
  assert.equal(error.kind, "aborted");
  assert.equal(sockets.size, 0);
});

for (const [name, options] of Object.entries({ "node:http": {}, fetch: { fetch } })) {
  test(`silence and time have their limits, over ${name}`, async (t) => {
    const { host } = await silent(t);
    const begin = performance.now();
    const idle = new Client({ ...QUICK, ...options, idleTimeout: 0.05 });
    assert.equal((await failing(() => idle.tags(`oci://${host}/x`))).code, "transport.timeout");
    const whole = new Client({ ...QUICK, ...options, timeout: 0.05 });
    assert.equal((await failing(() => whole.tags(`oci://${host}/x`))).code, "transport.timeout");
    const verb = new Client({ ...QUICK, ...options });
    assert.equal((await failing(() => verb.tags(`oci://${host}/x`, { timeout: 0.05 }))).code, "transport.timeout");
    assert.ok(performance.now() - begin < 3000);
  });
}

test("an address that stands where a path should shows no password", async () => {
  for (const read of [Archive.read, packageDirectory]) {
    const error = await failing(() => read("https://ada:hunter2@reg.example/web"));
    assert.equal(error.code, "files.not_found");
    assert.ok(!JSON.stringify(error).includes("hunter2"), error.message);
    assert.equal(error.context.path, "…@reg.example/web");
  }
});
