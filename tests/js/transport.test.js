// Node's transport: connections that are used again, TLS with an authority of one's own, proxies, silence in a body.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { getEventListeners, once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";

import { collect } from "../../bindings-wasm/js/blobs.js";
import { Client, package as packageDirectory } from "../../bindings-wasm/js/node.js";
import { nodeTransport } from "../../bindings-wasm/js/node-http.js";
import { proxyFor } from "../../bindings-wasm/js/node-proxy.js";
import "../../bindings-wasm/js/node-sansio.js"; // it has the machine loaded that tells loopback
import { Registry } from "../../bindings-wasm/js/node-testing.js";
import { PACKAGE, ROOT, certificates, failing, packaged, peer, requests, temporary } from "./support.js";

const OPTIONS = { credentials: null, retry: { attempts: 1 } };

/** Serves a registry that is in memory; gives the server and its port. */
async function serve(t, server, registry) {
  server.on("request", async (request, response) => {
    const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
    const answer = registry.serve({ method: request.method, target: request.url, headers }, await collect(request));
    response.writeHead(answer.status, answer.headers.flat());
    response.end(request.method === "HEAD" ? undefined : answer.body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return server.address().port;
}

test("connections are used again", async (t) => {
  let connections = 0;
  const server = http.createServer().on("connection", () => (connections += 1));
  const host = `127.0.0.1:${await serve(t, server, new Registry())}`;
  const client = new Client({ ...OPTIONS, concurrency: 1 });
  t.after(() => client.close());
  const { reference } = await client.push(packaged, `oci://${host}/charts`);
  for (let round = 0; round < 3; round++) await client.pull(reference);
  assert.equal(connections, 1);
});

test("a large chart goes up in pieces with its length, and the progress is the socket's", async (t) => {
  const directory = temporary(t);
  writeFileSync(join(directory, "Chart.yaml"), "apiVersion: v2\nname: large\nversion: 1.0.0\n");
  writeFileSync(join(directory, "noise.bin"), randomBytes(3 << 20));
  const chart = await packageDirectory(directory);
  const lengths = [];
  const server = http.createServer().on("request", ({ headers }) => lengths.push(headers["content-length"]));
  const host = `127.0.0.1:${await serve(t, server, new Registry())}`;
  const events = [];
  const client = new Client(OPTIONS);
  t.after(() => client.close());
  const { reference } = await client.push(chart, `oci://${host}/charts`, { onProgress: (event) => events.push(event) });
  const seen = events.filter(({ kind }) => kind === "progress").map(({ transferred }) => transferred);
  assert.equal(seen.at(-1), chart.data.length);
  assert.ok(seen.length > 5 && seen.every((count, at) => at === 0 || count >= seen[at - 1]), String(seen));
  assert.ok(lengths.includes(String(chart.data.length)));
  assert.deepEqual((await client.pull(reference)).archive, chart.data);
});

test("a head that drips has its time", async (t) => {
  for (const part of ["x", "HTTP/1.1 102 Processing\r\n\r\n"]) {
    const { host } = await peer(t, (socket) =>
      requests(socket, () => {
        socket.write(part === "x" ? "HTTP/1.1 200 OK\r\nx-" : part);
        const timer = setInterval(() => socket.write(part), 50);
        socket.on("close", () => clearInterval(timer));
      }),
    );
    const transport = nodeTransport({ headPatience: 300 });
    t.after(() => transport.close());
    const { signal } = new AbortController();
    const request = { method: "GET", url: `http://${host}/v2/`, headers: [], timeout: 200, thinking: 200, signal };
    await assert.rejects(transport.send(request), { kind: "timeout" });
    const client = new Client({ ...OPTIONS, fetch, idleTimeout: 0.2, timeout: 8 });
    assert.match((await failing(() => client.tags(`oci://${host}/x`))).message, /silent for too long/);
  }
});

test("many verbs may have one signal, which nothing is left at", async (t) => {
  const { host } = await peer(t, (socket) =>
    requests(socket, () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 23\r\n\r\n{"name":"x","tags":[]}\n')),
  );
  const warned = [];
  const note = (warning) => warned.push(warning.message);
  process.on("warning", note);
  t.after(() => process.off("warning", note));
  for (const options of [{}, { fetch }]) {
    const client = new Client({ ...OPTIONS, ...options });
    const control = new AbortController();
    const ask = () => client.tags(`oci://${host}/x`, { signal: control.signal });
    await Promise.all(Array.from({ length: 20 }, ask));
    assert.equal(getEventListeners(control.signal, "abort").length, 0);
    const asked = Array.from({ length: 20 }, ask);
    control.abort();
    for (const { reason } of await Promise.allSettled(asked)) assert.equal(reason.kind, "aborted");
    client.close();
  }
  await pause(10);
  assert.deepEqual(warned, []);
});

test("silence in the middle of a body has its limit", async (t) => {
  const { host } = await peer(t, (socket) =>
    requests(socket, () => socket.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{")),
  );
  for (const options of [{}, { fetch }]) {
    const client = new Client({ ...OPTIONS, ...options, idleTimeout: 0.1 });
    assert.equal((await failing(() => client.tags(`oci://${host}/x`))).code, "transport.timeout");
    client.close();
  }
});

const LEFT = `
  import { Client, package as pack } from "${pathToFileURL(join(PACKAGE, "node.js"))}";
  import { Registry } from "${pathToFileURL(join(PACKAGE, "node-testing.js"))}";
  const registry = new Registry();
  const client = new Client({ fetch: registry.fetch, credentials: null });
  const { reference } = await client.push(await pack(process.argv[1]), registry.host + "/charts");
  console.log(await client.pull(reference, { directory: process.argv[2] }).catch((error) => error.kind));
`;

test("after a pull that could not be stored nothing keeps the process alive", async (t) => {
  const places = [join(ROOT, "README.md"), ...(process.platform === "linux" ? ["/proc/x/y"] : [])];
  for (const place of places) {
    const words = ["--input-type=module", "--eval", LEFT, join(ROOT, "examples/web"), place];
    // The silence that is allowed to a registry is 30 seconds.
    const said = execFileSync(process.execPath, words, { encoding: "utf8", timeout: 20_000 });
    assert.notEqual(said, "", place);
  }
});

const skip = !existsSync("/usr/bin/openssl") && "no openssl";

test("TLS: an authority of one's own, a client's certificate", { skip }, async (t) => {
  const { ca, key, cert } = certificates(temporary(t));
  const [certificate, secret, authority] = [cert, key, ca].map((path) => readFileSync(path));
  const options = { cert: certificate, key: secret, ca: authority, requestCert: true, rejectUnauthorized: true };
  const port = await serve(t, https.createServer(options), new Registry());
  const client = new Client({ ...OPTIONS, caFile: ca, certFile: cert, keyFile: key });
  t.after(() => client.close());
  const { reference } = await client.push(packaged, `oci://127.0.0.1:${port}/charts`);
  assert.deepEqual((await client.pull(reference)).archive, packaged.data);
  const stranger = new Client({ ...OPTIONS, plainHttp: false });
  const error = await failing(() => stranger.pull(reference));
  assert.deepEqual([error.kind, error.code], ["transport", "transport.tls"]);
});

test("an authority is believed that the environment names", { skip }, async (t) => {
  const { ca, key, cert } = certificates(temporary(t));
  const server = https.createServer({ cert: readFileSync(cert), key: readFileSync(key) });
  const target = `oci://127.0.0.1:${await serve(t, server, new Registry())}/charts`;
  process.env.SSL_CERT_FILE = ca;
  t.after(() => delete process.env.SSL_CERT_FILE);
  const client = new Client({ ...OPTIONS, plainHttp: false });
  t.after(() => client.close());
  await client.push(packaged, target);
});

test("a file with certificates that cannot be used is named", async (t) => {
  const broken = join(temporary(t), "broken.pem");
  writeFileSync(broken, "no PEM");
  for (const [options, code] of [
    [{ caFile: "/nowhere/ca.pem" }, "files.not_found"],
    [{ certFile: "/nowhere/cert.pem" }, "files.not_found"],
    [{ caFile: broken }, "misuse.argument"],
    [{ certFile: broken, keyFile: broken }, "misuse.argument"],
  ]) {
    const error = await failing(() => new Client({ ...OPTIONS, ...options }).tags("127.0.0.1:1/web"));
    assert.equal(error.code, code, error.message);
    assert.ok(error.message.includes(options.caFile ?? options.certFile), error.message);
  }
});

/** A proxy that knows just one registry, whatever name it is asked for; and what it was asked. */
async function proxy(t, port) {
  const asked = [];
  const server = http.createServer(async (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const { pathname, search } = new URL(request.url);
    const body = await collect(request);
    const upstream = http.request({ port, host: "127.0.0.1", method: request.method, path: pathname + search, headers: request.headers });
    upstream.on("response", (answer) => {
      response.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(response);
    });
    upstream.end(body);
  });
  server.on("connect", (request, socket) => {
    asked.push(`CONNECT ${request.url} ${request.headers["proxy-authorization"] ?? ""}`);
    const upstream = net.connect(port, "127.0.0.1", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    upstream.pipe(socket).pipe(upstream);
    for (const end of [socket, upstream]) end.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://ada:secret@127.0.0.1:${server.address().port}`, asked };
}

test("a proxy is asked by the whole URL, or for a tunnel", { skip }, async (t) => {
  const plain = await proxy(t, await serve(t, http.createServer(), new Registry()));
  const open = new Client({ ...OPTIONS, plainHttp: true, proxy: plain.url });
  const { reference } = await open.push(packaged, "oci://registry.test/charts");
  assert.deepEqual((await open.pull(reference)).archive, packaged.data);
  assert.ok(plain.asked.every((line) => line.includes("http://registry.test/v2/charts/web/")), plain.asked.join("\n"));

  const { ca, key, cert } = certificates(temporary(t));
  const secure = https.createServer({ cert: readFileSync(cert), key: readFileSync(key) });
  const tunnel = await proxy(t, await serve(t, secure, new Registry()));
  const client = new Client({ ...OPTIONS, caFile: ca, proxy: tunnel.url, concurrency: 1 });
  await client.push(packaged, "oci://registry.test/charts");
  assert.deepEqual((await client.pull(reference)).archive, packaged.data);
  const secret = Buffer.from("ada:secret").toString("base64");
  assert.deepEqual(tunnel.asked, [`CONNECT registry.test:443 Basic ${secret}`]);
  for (const each of [open, client]) each.close();
});

/** Waits until a peer has no connection any more. */
async function abandoned(sockets) {
  for (let tries = 0; sockets.size > 0 && tries < 200; tries++) await pause(10);
  assert.equal(sockets.size, 0, "nobody hung up");
}

for (const [name, options] of Object.entries({
  "a proxy that never answers": (host) => ({ proxy: `http://ada:secret@${host}`, plainHttp: false }),
  "a proxy that never answers plain http": (host) => ({ proxy: `http://ada:secret@${host}`, plainHttp: true }),
  "a proxy that never shakes hands": (host) => ({ proxy: `https://ada:secret@${host}`, plainHttp: true }),
  "a registry that never shakes hands": () => ({ plainHttp: false }),
})) {
  test(`${name} is given up: by its silence, by the time for all, and at once when it is told to`, async (t) => {
    const { host, sockets } = await peer(t, (socket) => socket.resume());
    const repository = name.includes("proxy") ? "registry.test/web" : `${host}/web`;
    const client = (more) => {
      const made = new Client({ ...OPTIONS, ...options(host), ...more });
      t.after(() => made.close());
      return made;
    };
    for (const more of [{ idleTimeout: 0.2 }, { timeout: 0.2 }]) {
      const begin = performance.now();
      const error = await failing(() => client(more).tags(repository));
      assert.equal(error.code, "transport.timeout");
      assert.ok(performance.now() - begin < 3000);
      assert.ok(!inspect(error, { depth: 9 }).includes("secret"));
      await abandoned(sockets);
    }
    const control = new AbortController();
    const asking = failing(() => client({}).tags(repository, { signal: control.signal }));
    while (sockets.size === 0) await pause(5);
    const begin = performance.now();
    control.abort();
    assert.equal((await asking).kind, "aborted");
    assert.ok(performance.now() - begin < 100);
    await abandoned(sockets);
  });
}

test("a proxy that wants another password says so, and its own is not told", async (t) => {
  const { host } = await peer(t, (socket) =>
    requests(socket, () => socket.end("HTTP/1.1 407 X\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n")),
  );
  const client = new Client({ ...OPTIONS, plainHttp: false, proxy: `http://ada:secret@${host}` });
  const error = await failing(() => client.tags("registry.test/web"));
  assert.equal(error.code, "transport.connect");
  assert.ok(error.message.includes(host) && error.message.includes("407"), error.message);
  assert.ok(!inspect(error, { depth: 9 }).includes("secret"));
});

test("the environment's proxy is used save for loopback, NO_PROXY, and where it is switched off", (t) => {
  const before = { ...process.env };
  t.after(() => {
    for (const name of ["HTTPS_PROXY", "NO_PROXY", "http_proxy"]) delete process.env[name];
    Object.assign(process.env, before);
  });
  for (const name of ["https_proxy", "no_proxy", "ALL_PROXY", "all_proxy"]) delete process.env[name];
  Object.assign(process.env, { HTTPS_PROXY: "proxy.test:3128", http_proxy: "http://plain.test" });
  process.env.NO_PROXY = "example.org, .internal:8443,10.0.0.0/8 *.corp.test";
  const cases = [
    ["https://registry.example/", "http://proxy.test:3128/"],
    ["http://registry.example/", "http://plain.test/"],
    ["https://localhost/", undefined],
    ["https://127.0.0.1:5000/", undefined],
    ["https://127.evil.example/", "http://proxy.test:3128/"],
    ["https://[::1]/", undefined],
    ["https://example.org/", undefined],
    ["https://a.example.org/", undefined],
    ["https://notexample.org/", "http://proxy.test:3128/"],
    ["https://a.internal:8443/", undefined],
    ["https://a.internal/", "http://proxy.test:3128/"],
    ["https://10.1.2.3/", undefined],
    ["https://11.1.2.3/", "http://proxy.test:3128/"],
    ["https://x.corp.test/", undefined],
  ];
  for (const [url, expected] of cases) assert.equal(proxyFor(new URL(url))?.href, expected, url);
  assert.equal(proxyFor(new URL("https://registry.example/"), false), undefined);
  process.env.NO_PROXY = "*";
  assert.equal(proxyFor(new URL("https://registry.example/")), undefined);
});

test("a connection that the peer closed costs no try", async (t) => {
  const registry = await new Registry().listen();
  t.after(() => registry.close());
  const direct = new Client({ credentials: null });
  t.after(() => direct.close());
  await direct.push(packaged.data, `oci://${registry.host}/charts`);
  // Answers one request on each connection, and hangs up on the next without a word.
  const { host } = await peer(t, (socket) => {
    const inner = net.connect(Number(registry.host.split(":")[1]), "127.0.0.1");
    t.after(() => inner.destroy());
    inner.on("error", () => {});
    let isAnswered = false;
    socket.on("data", (chunk) => (isAnswered ? socket.resetAndDestroy() : inner.write(chunk)));
    inner.on("data", (chunk) => {
      isAnswered = true;
      if (!socket.destroyed) socket.write(chunk);
    });
  });
  const client = new Client({ credentials: null, retry: { attempts: 1 }, concurrency: 1 });
  t.after(() => client.close());
  for (let count = 0; count < 3; count++) {
    const { archive } = await client.pull(`oci://${host}/charts/web:1.2.0+demo.1`);
    assert.deepEqual(Buffer.from(archive), Buffer.from(packaged.data));
  }
});

test("a proxy that speaks no http is refused before anything is said to it", async (t) => {
  const said = [];
  const { host } = await peer(t, (socket) => socket.on("data", (chunk) => said.push(chunk)));
  const client = new Client({ credentials: null, plainHttp: true, proxy: `socks5://ada:secret@${host}` });
  t.after(() => client.close());
  const error = await failing(() => client.tags("registry.test/web"));
  assert.equal(error.code, "misuse.argument");
  assert.match(error.message, /neither of http nor of https/);
  assert.ok(!JSON.stringify(error).includes("secret") && said.length === 0);
});
