// login, logout, and the files and helpers that credentials are kept in: on real files, with real programs.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { utimesSync, writeFileSync } from "node:fs";
import files from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { userInfo } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { execute } from "../../bindings-wasm/js/files-node.js";
import { Client } from "../../bindings-wasm/js/node.js";
import { Registry } from "../../bindings-wasm/js/node-testing.js";
import { failing, packaged, peer, requests, temporary } from "./support.js";

const SECRET = "hunter2-secret";
const NAMES = ["HOME", "PATH", "HELM_REGISTRY_CONFIG", "HELM_CONFIG_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"];
NAMES.push("DOCKER_CONFIG", "DOCKER_AUTH_CONFIG", "REGISTRY_AUTH_FILE");

/** A home directory of its own, that nobody has used yet. */
function homeless(t) {
  const home = temporary(t);
  const before = Object.fromEntries(NAMES.map((name) => [name, process.env[name]]));
  t.after(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  for (const name of NAMES.slice(2)) delete process.env[name];
  process.env.HOME = home;
  return home;
}

/** A credential helper in PATH; gives the file in which it writes down its calls. */
function helper(home, name, script) {
  const calls = join(home, `calls-${name}`);
  const program = join(home, "bin", `docker-credential-${name}`);
  write(program, `#!/bin/sh\ninput=$(cat)\necho "$1 $input" >> ${calls}\n${script}\n`);
  chmodSync(program, 0o755);
  process.env.PATH = `${join(home, "bin")}${delimiter}${process.env.PATH}`;
  return calls;
}

function write(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

const helmFile = (home) => join(home, ".config", "helm", "registry", "config.json");
const auth = (user = "ada") => ({ auth: Buffer.from(`${user}:${SECRET}`).toString("base64") });
const modeOf = (path) => statSync(path).mode & 0o777;

async function listening(t, options = { username: "ada", password: SECRET }) {
  const registry = await new Registry(options).listen();
  t.after(() => registry.close());
  return registry;
}

function connect(t, options) {
  const client = new Client({ retry: { attempts: 1 }, ...options });
  t.after(() => client.close());
  return client;
}

test("a home that is empty is the one that the system knows", async (t) => {
  homeless(t);
  process.env.HOME = "";
  const { asked } = await connect(t).explainCredentials("registry.example/charts");
  const known = userInfo().homedir;
  const others = [[".docker", "config.json"], [".config", "containers", "auth.json"], [".dockercfg"]];
  const stores = [helmFile(known), ...others.map((path) => join(known, ...path))];
  assert.deepEqual(
    asked.map(({ store }) => store),
    stores,
  );
});

for (const token of [false, true]) {
  test(`a login is checked, then stored as Helm stores it, ${token ? "Bearer" : "Basic"}`, async (t) => {
    const home = homeless(t);
    const { host } = await listening(t, { username: "ada", password: SECRET, token });
    const client = connect(t);
    const error = await failing(() => client.login(host, "ada", "wrong-password"));
    assert.equal(error.code, "auth.refused");
    assert.ok(!JSON.stringify(error).includes("wrong-password"));
    assert.ok(!existsSync(helmFile(home)));

    const done = await client.login(`oci://${host}/some/path`, "ada", SECRET);
    assert.deepEqual(done, { registry: host, path: helmFile(home), helper: undefined, checked: true });
    assert.equal(readFileSync(helmFile(home), "utf8"), JSON.stringify({ auths: { [host]: auth() } }, null, "\t"));
    assert.equal(modeOf(helmFile(home)), 0o600);
    assert.equal(modeOf(dirname(helmFile(home))), 0o700);
    assert.deepEqual(readdirSync(dirname(helmFile(home))), ["config.json"]);
    await client.push(packaged, `oci://${host}/charts`);

    const found = await client.explainCredentials(`${host}/charts/web`);
    assert.deepEqual([found.source, found.kind, found.username], ["store", "basic", "ada"]);
    assert.deepEqual(found.asked, [{ store: helmFile(home), helper: undefined, entry: host, exists: true }]);
    assert.ok(!JSON.stringify(found).includes(SECRET));

    assert.equal((await client.logout(host)).removed, true);
    assert.equal((await client.logout(host)).removed, false);
    assert.equal((await failing(() => client.push(packaged, `oci://${host}/charts`))).code, "auth.required");
  });
}

test("a file is named from where we are", async (t) => {
  const home = homeless(t);
  const { host } = await listening(t);
  const named = join(home, "named.json");
  const client = connect(t, { registryConfig: relative(process.cwd(), named) });
  assert.equal((await client.login(host, "ada", SECRET)).path, named);
  assert.equal((await client.explainCredentials(`${host}/web`)).username, "ada");
  assert.ok(existsSync(named));
  assert.equal((await client.logout(host)).removed, true);
});

test("what a file holds besides survives, and a link stays one", async (t) => {
  const home = homeless(t);
  const { host } = await listening(t);
  const kept = '"zeta": 1.50, "big": 12345678901234567890123';
  const target = write(join(home, "elsewhere.json"), `{${kept}, "auths": {"z.example": {"x": 1e3}}}`);
  mkdirSync(dirname(helmFile(home)), { recursive: true });
  symlinkSync(target, helmFile(home));
  const client = connect(t);
  await client.login(host, "ada", SECRET);
  const text = readFileSync(target, "utf8");
  assert.ok(text.includes(kept) && text.includes('"z.example": {"x": 1e3}') && text.includes(host));
  await client.logout(host);
  assert.equal(readFileSync(target, "utf8"), `{${kept}, "auths": {"z.example": {"x": 1e3}}}`);
});

test("a broken file is an error, and hides the next", async (t) => {
  const home = homeless(t);
  const { host } = await listening(t);
  write(helmFile(home), '\n{"auths": ');
  write(join(home, ".docker", "config.json"), { auths: { [host]: auth() } });
  const error = await failing(() => connect(t).push(packaged, `oci://${host}/charts`));
  assert.deepEqual([error.code, error.context.path], ["auth.credentials_file", helmFile(home)]);
});

test("two logins at once lose none", async (t) => {
  const home = homeless(t);
  const hosts = await Promise.all(Array.from({ length: 6 }, async () => (await listening(t, {})).host));
  await Promise.all(hosts.map((host) => connect(t).login(host, "ada", SECRET)));
  assert.deepEqual(Object.keys(JSON.parse(readFileSync(helmFile(home), "utf8")).auths).sort(), hosts.sort());
});

test("a helper is asked by its protocol", async (t) => {
  const home = homeless(t);
  const { host } = await listening(t);
  const calls = helper(home, "fake", `[ $1 = get ] && echo '{"Username":"ada","Secret":"${SECRET}"}'; true`);
  write(helmFile(home), { credsStore: "fake" });
  const client = connect(t);
  await client.push(packaged, `oci://${host}/charts`);
  assert.equal((await client.explainCredentials(`${host}/x`)).asked[0].helper, "docker-credential-fake");
  assert.equal((await client.login(host, "ada", SECRET)).helper, "docker-credential-fake");
  await client.logout(host);
  const stored = `store {"ServerURL":"${host}","Username":"ada","Secret":"${SECRET}"}`;
  assert.deepEqual(readFileSync(calls, "utf8").trim().split("\n"), [`get ${host}`, `get ${host}`, stored, `erase ${host}`]);
  assert.equal(readFileSync(helmFile(home), "utf8"), '{"credsStore":"fake"}');
});

for (const [name, script, code, says] of [
  ["fails", "echo 'the keychain is locked'; exit 1", "auth.helper", "the keychain is locked"],
  ["answers with no JSON", `echo '${SECRET}'`, "auth.helper", "no JSON"],
  ["answers without end", "yes", "auth.helper", "more than"],
  ["dies", "kill -9 $$", "auth.helper", "killed"],
  ["is missing", undefined, "auth.helper_missing", "docker-credential-fake"],
]) {
  test(`a helper that ${name} ends the search`, async (t) => {
    const home = homeless(t);
    const { host } = await listening(t);
    if (script) helper(home, "fake", script);
    write(helmFile(home), { credsStore: "fake" });
    write(join(home, ".docker", "config.json"), { auths: { [host]: auth() } });
    const error = await failing(() => connect(t).push(packaged, `oci://${host}/charts`));
    assert.equal(error.code, code, error.message);
    assert.ok(error.message.includes(says) && error.hint, error.message);
    assert.ok(!JSON.stringify(error).includes(SECRET));
  });
}

test("what everybody may read is read though a helper is missing", async (t) => {
  const home = homeless(t);
  write(join(home, ".docker", "config.json"), { credsStore: "desktop" });
  const answer = (status, fields, body = "") =>
    `HTTP/1.1 ${status} X\r\nContent-Length: ${body.length}\r\n${fields.map((field) => `${field}\r\n`).join("")}\r\n${body}`;
  let here;
  const serving = await peer(t, (socket) =>
    requests(socket, (head) => {
      if (head.startsWith("GET /token")) return socket.write(answer(head.includes("account") ? 401 : 200, [], '{"token":"free"}'));
      if (head.includes("Bearer free")) return socket.write(answer(200, [], '{"tags":["1.0.0"]}'));
      return socket.write(answer(401, [`WWW-Authenticate: Bearer realm="http://${here}/token"`]));
    }),
  );
  here = serving.host;
  const events = [];
  assert.deepEqual(await connect(t).tags(`${here}/web`, { onProgress: (event) => events.push(event) }), ["1.0.0"]);
  assert.match(events.find(({ kind }) => kind === "notice").text, /docker-credential-desktop is not there/);
});

test("a helper that takes too long is killed with all that it started", async (t) => {
  const home = homeless(t);
  helper(home, "slow", `sleep 60 &\necho $! > ${home}/child\nwait`);
  const { execute } = await import("../../bindings-wasm/js/files-node.js");
  const verb = { kind: "run", program: "docker-credential-slow", arguments: ["get"], input: Buffer.from("x") };
  const answer = await execute({ ...verb, timeout: 0.5, limit: 100 }, "/");
  assert.deepEqual([answer.kind, answer.status, answer.output.length], ["ran", undefined, 0]);
  await ended(readFileSync(join(home, "child"), "utf8").trim());
});

/** Waits until a process is no more. */
async function ended(process) {
  const status = `/proc/${process}/stat`;
  const state = () => (existsSync(status) ? readFileSync(status, "utf8").split(" ")[2] : "gone");
  const deadline = Date.now() + 5000;
  while (!["gone", "Z"].includes(state()) && Date.now() < deadline) await pause(20);
  assert.ok(["gone", "Z"].includes(state()), state());
}

test("a helper for which nobody waits any more is killed with all that it started", async (t) => {
  const home = homeless(t);
  const { host } = await listening(t);
  helper(home, "slow", `sleep 60 &\necho $! > ${home}/child.new\nmv ${home}/child.new ${home}/child\nwait`);
  write(helmFile(home), { credsStore: "slow" });
  for (const how of ["abort", "timeout"]) {
    const control = new AbortController();
    const options = how === "abort" ? { signal: control.signal } : { timeout: 1 };
    const asking = failing(() => connect(t).tags(`${host}/web`, options));
    while (!existsSync(join(home, "child"))) await pause(10);
    const begin = performance.now();
    control.abort();
    const { kind, code } = await asking;
    if (how === "abort") assert.ok(kind === "aborted" && performance.now() - begin < 100, code);
    else assert.equal(code, "transport.timeout");
    await ended(readFileSync(join(home, "child"), "utf8").trim());
    rmSync(join(home, "child"));
  }
});

test("Python and Node are logged in together", async (t) => {
  const python = fileURLToPath(new URL("../../.venv/bin/python", import.meta.url));
  if (!existsSync(python)) return t.skip("the Python package is not installed");
  const home = homeless(t);
  const { host } = await listening(t);
  await connect(t).login(host, "ada", SECRET);
  const words = ["-m", "chartoci", "--json", "registry", "credentials", `${host}/x`];
  let said;
  try {
    said = JSON.parse(execFileSync(python, words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
  } catch {
    return t.skip("the Python package is not installed");
  }
  assert.deepEqual([said.username, said.asked[0].store], ["ada", helmFile(home)]);
});

test("a callable is asked again after a refusal, and never twice for the same secret", async (t) => {
  const { host } = await listening(t);
  const asked = [];
  const fresh = ({ refused }) => {
    asked.push(refused);
    return ["ada", refused ? SECRET : "expired"];
  };
  await connect(t, { credentials: fresh }).push(packaged, `oci://${host}/charts`);
  assert.deepEqual(asked, [false, true]);
  asked.length = 0;
  const same = ({ refused }) => {
    asked.push(refused);
    return ["ada", "expired"];
  };
  const error = await failing(() => connect(t, { credentials: same }).push(packaged, `oci://${host}/charts`));
  assert.deepEqual([error.code, asked], ["auth.refused", [false, true]]);
});

test("credentials that were given are explained without asking anybody", async () => {
  for (const [credentials, source, kind] of [
    [["ada", SECRET], "given", "basic"],
    [SECRET, "given", "bearer"],
    [{ identityToken: SECRET }, "given", "identity"],
    [null, undefined, undefined],
    [() => null, "callable", undefined],
  ]) {
    const found = await new Client({ credentials }).explainCredentials("reg.example/x");
    assert.deepEqual([found.source, found.kind, found.asked], [source, kind, []]);
    assert.ok(!JSON.stringify(found).includes(SECRET));
  }
});

test("a lock that was made while an old one is removed stays", async (t) => {
  const home = homeless(t);
  const lock = write(join(home, "config.json.lock"), "left behind");
  const now = Date.now() / 1000;
  utimesSync(lock, now - 60, now - 60);
  const real = files.link;
  const replace = (link) => {
    files.link = link;
    syncBuiltinESMExports();
  };
  t.after(() => replace(real));
  replace((...words) => {
    // Somebody else was faster: the old lock is gone, and theirs is in its place, as fresh as they come.
    replace(real);
    rmSync(lock);
    write(lock, "theirs");
    utimesSync(lock, now + 60, now + 60);
    return real(...words);
  });
  const answer = await execute({ kind: "lock", path: "config.json.lock", patience: 0.2 }, home, new Map());
  assert.deepEqual([answer.kind, answer.reason], ["failed", "EEXIST"]);
  assert.equal(readFileSync(lock, "utf8"), "theirs");
  assert.deepEqual(readdirSync(home), ["config.json.lock"]);
});

test("an old lock is removed, by one alone of all who find it", async (t) => {
  const home = homeless(t);
  const lock = write(join(home, "config.json.lock"), "left behind");
  utimesSync(lock, 1, 1);
  const verb = { kind: "lock", path: "config.json.lock", patience: 5 };
  // Each holds it for a moment, and gives it back.
  let [held, most] = [0, 0];
  await Promise.all(
    [1, 2, 3, 4, 5, 6].map(async () => {
      const locks = new Map();
      assert.equal((await execute(verb, home, locks)).kind, "done");
      most = Math.max(most, ++held);
      assert.equal(modeOf(lock), 0o600);
      await pause(5);
      held--;
      rmSync(lock);
      for (const file of locks.values()) await file.close();
    }),
  );
  assert.equal(most, 1);
  assert.deepEqual(readdirSync(home), []);
});

test("a lost lock is not made again by what is written", async (t) => {
  const home = homeless(t);
  const verb = { kind: "write", path: "config.json.lock", offset: 0, data: Buffer.from(SECRET) };
  const answer = await execute(verb, home, new Map());
  assert.deepEqual([answer.kind, answer.reason], ["failed", "ENOENT"]);
  assert.deepEqual(readdirSync(home), []);
});

test("what is no file is not replaced by one", { skip: process.platform === "win32" && "pipes have no names here" }, async (t) => {
  const home = homeless(t); // as /dev/null would be, by root
  execFileSync("mkfifo", [join(home, "config.json")]);
  const locks = new Map();
  await execute({ kind: "lock", path: "config.json.lock", patience: 1 }, home, locks);
  const answer = await execute({ kind: "rename", from: "config.json.lock", to: "config.json" }, home, locks);
  assert.match(answer.message, /no file/);
  assert.ok(statSync(join(home, "config.json")).isFIFO());
  await locks.get("config.json.lock").close();
});

test("links are followed for credentials alone, and never written through", async (t) => {
  const home = homeless(t);
  write(join(home, "there"), "secret");
  symlinkSync("there", join(home, "link"));
  const read = { kind: "read", path: "link", offset: 0, limit: 100 };
  assert.equal((await execute(read, home)).kind, "failed");
  assert.equal(Buffer.from((await execute(read, home, true)).data).toString(), "secret");
  for (const credentials of [false, true]) {
    const written = await execute({ kind: "write", path: "link", offset: 0, data: Buffer.from("x") }, home, credentials);
    assert.equal(written.kind, "failed");
  }
  assert.equal(readFileSync(join(home, "there"), "utf8"), "secret");
});

test("a lock that is held is not taken however late its owner is, and who lost it changes nothing", async (t) => {
  const home = homeless(t);
  const path = "config.json.lock";
  const lock = join(home, path);
  const [ours, theirs] = [new Map(), new Map()];
  t.after(() => Promise.all([...ours.values(), ...theirs.values()].map((file) => file.close())));
  const verb = { kind: "lock", path, patience: 0.2 };
  assert.equal((await execute(verb, home, ours)).kind, "done");
  assert.equal((await execute(verb, home, theirs)).reason, "EEXIST");
  const data = new TextEncoder().encode("ours");
  assert.equal((await execute({ kind: "write", path, offset: 0, data }, home, ours)).kind, "done");
  // By hand it can be removed, and made again by another.
  rmSync(lock);
  assert.equal((await execute(verb, home, theirs)).kind, "done");
  for (const late of [
    { kind: "write", path, offset: 0, data },
    { kind: "sync", path },
    { kind: "rename", from: path, to: "config.json" },
    { kind: "remove", path },
  ]) {
    assert.equal((await execute(late, home, ours)).reason, "ENOENT", late.kind);
  }
  assert.equal((await execute({ kind: "write", path, offset: 0, data }, home, theirs)).kind, "done");
  assert.equal((await execute({ kind: "rename", from: path, to: "config.json" }, home, theirs)).kind, "done");
  assert.deepEqual(readdirSync(home), ["config.json"]);
});

test("questions for a credential have the verb's time, and end with who asked", async (t) => {
  const home = homeless(t);
  const registry = await listening(t);
  helper(home, "hanging", `sleep 60 &\necho $! > ${home}/child.new\nmv ${home}/child.new ${home}/child\nwait`);
  const registryConfig = write(join(home, "hanging.json"), { credsStore: "hanging" });
  const isGone = async () => {
    const child = readFileSync(join(home, "child"), "utf8").trim();
    for (let turn = 0; turn < 200; turn++) {
      const status = `/proc/${child}/stat`;
      if (!existsSync(status) || readFileSync(status, "utf8").split(" ")[2] === "Z") return true;
      await pause(10);
    }
    return false;
  };
  const client = new Client({ registryConfig });
  t.after(() => client.close());
  const late = await failing(() => client.tags(`${registry.host}/web`, { timeout: 1 }));
  assert.equal(late.code, "transport.timeout");
  assert.ok(await isGone());
  rmSync(join(home, "child"));
  const control = new AbortController();
  const asking = failing(() => client.tags(`${registry.host}/web`, { signal: control.signal }));
  while (!existsSync(join(home, "child"))) await pause(10);
  control.abort();
  assert.equal((await asking).kind, "aborted");
  assert.ok(await isGone());
  const silent = new Client({ credentials: () => new Promise(() => {}) });
  t.after(() => silent.close());
  const waited = await failing(() => silent.tags(`${registry.host}/web`, { timeout: 0.3 }));
  assert.equal(waited.code, "transport.timeout");
});

test("credentials may come slowly out of a pipe", { skip: process.platform === "win32" && "pipes have no names here" }, async (t) => {
  const pipe = join(temporary(t), "config.json");
  execFileSync("mkfifo", [pipe]);
  const parts = ['{"auths": {"registry.example', `": ${JSON.stringify(auth())}}}`];
  const written = (async () => {
    await pause(100);
    const file = await files.open(pipe, "w");
    for (const part of parts) {
      await pause(100);
      await file.write(part);
    }
    await file.close();
  })();
  const explained = await new Client({ registryConfig: pipe }).explainCredentials("registry.example/web");
  await written;
  assert.equal(explained.username, "ada");
});
