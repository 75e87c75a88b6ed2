// What a transport is held to, asked of each: node:http, Node's fetch, and Chromium's. docs/transport.md has the table, with
// what a platform does instead; tests/python/test_transports.py asks the same of Python's.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { gzipSync } from "node:zlib";

import { fetchTransport } from "../../bindings-wasm/js/fetch.js";
import { nodeTransport } from "../../bindings-wasm/js/node-http.js";
import "../../bindings-wasm/js/node-sansio.js"; // it has the machine loaded that tells loopback
import { chromium } from "./browser.js";
import { CHART, SHARED, drive, inPage, lines, registry, soon, withChromium } from "./drivers.js";
import { send } from "./page/send.js";
import { ROOT, temporary } from "./support.js";

const MIB = 1 << 20;
const MAKE = { "node:http": () => nodeTransport({}), fetch: () => fetchTransport({}) };

withChromium();

/** Requests one after the other by one transport. */
async function ask(driver, ...requests) {
  if (driver === "Chromium") return inPage("send", requests);
  const transport = MAKE[driver]();
  const seen = [];
  for (const request of requests) seen.push(await send(transport, request));
  transport.close();
  return seen;
}

const asked = new Map();

/** A row of the table: `differs` are the drivers that do something else, which `run` knows. */
function each(name, run, differs = []) {
  asked.set(name, differs);
  for (const driver of ["node:http", "fetch", "Chromium"]) {
    const skip = driver === "Chromium" && !chromium && "no Chromium";
    const does = differs.includes(driver) ? "is known for something else than" : "";
    test(`${name}${does ? `: ${driver} ${does} that` : `, by ${driver}`}`, { skip }, (t) => run(t, driver, !does));
  }
}

/**
 * A peer that gives each request that is no preflight to the next of `turns`, the last of them again and again: a text
 * that is sent, or `(socket, head, body) => …`. A page may read all of it. `connections`: those that were asked something.
 */
async function peer(t, ...turns) {
  const connections = new Set();
  const heads = [];
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    let data = Buffer.alloc(0);
    let serving;
    socket.on("data", (chunk) => {
      if (serving) return void serving(chunk);
      data = Buffer.concat([data, chunk]);
      for (;;) {
        const end = data.indexOf("\r\n\r\n");
        if (end < 0) return;
        const head = data.subarray(0, end + 4).toString("latin1");
        const turn = turns[0];
        const isPreflight = head.startsWith("OPTIONS ");
        const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
        const whole = data.length >= end + 4 + length;
        if (!isPreflight && typeof turn === "function") {
          connections.add(socket);
          if (turns.length > 1) turns.shift();
          serving = turn(socket, head) ?? (() => {});
          return;
        }
        if (!whole) return;
        const body = data.subarray(end + 4, end + 4 + length).toString("latin1");
        data = data.subarray(end + 4 + length);
        if (isPreflight) {
          socket.write(readable("HTTP/1.1 204 X\r\n\r\n"));
          continue;
        }
        connections.add(socket);
        heads.push(head + body);
        if (turns.length > 1) turns.shift();
        socket.write(readable(turn), "latin1");
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const host = `127.0.0.1:${server.address().port}`;
  return { host, url: `http://${host}/v2/`, heads, connections, sockets };
}

const readable = (text) => text.replace(/HTTP\/1\.1 \d+ \w+\r\n/g, (line) => line + lines(SHARED));
const ok = (body = "", head = "") => `HTTP/1.1 200 OK\r\n${head}content-length: ${body.length}\r\n\r\n${body}`;

const valuesOf = (seen, wanted) => seen.headers.filter(([name]) => name === wanted).map(([, value]) => value);
const PACKED = gzipSync("text").toString("latin1");

const ANSWERS = {
  "a redirect is not followed": {
    said: "HTTP/1.1 307 X\r\nlocation: /v2/other\r\ncontent-length: 0\r\n\r\n",
    wanted: { status: 307, location: ["/v2/other"] },
    instead: { Chromium: { status: 200, body: "next" } },
  },
  "repeated headers are kept apart": {
    said:
      "HTTP/1.1 401 X\r\nWWW-Authenticate: Basic realm=a\r\nwww-authenticate: Bearer realm=b\r\ncontent-length: 0\r\n\r\n",
    wanted: { status: 401, "www-authenticate": ["Basic realm=a", "Bearer realm=b"] },
    instead: {
      fetch: { "www-authenticate": ["Basic realm=a, Bearer realm=b"] },
      Chromium: { "www-authenticate": ["Basic realm=a, Bearer realm=b"] },
    },
  },
  "a packed answer is not unpacked": {
    said: ok(PACKED, "content-encoding: gzip\r\n"),
    wanted: { status: 200, body: PACKED },
    instead: { fetch: { body: "text" }, Chromium: { body: "text" } },
  },
  "what comes before the answer is skipped": {
    said: `HTTP/1.1 103 Early\r\nlink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n${ok("real")}`,
    wanted: { status: 200, body: "real", link: [] },
    instead: { fetch: { failure: "reset" } },
  },
  "a body in pieces is put together": {
    said: "HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n3;x=y\r\nefg\r\n0\r\n\r\n",
    wanted: { status: 200, body: "abcdefg" },
  },
  "204 has no body": { said: "HTTP/1.1 204 X\r\nlocation: /a\r\n\r\n", wanted: { status: 204, body: "", location: ["/a"] } },
  "cookies are nobody's business": { said: ok("", "set-cookie: a=b\r\n"), wanted: { status: 200 } },
};

for (const [name, { said, wanted, instead = {} }] of Object.entries(ANSWERS)) {
  each(
    name,
    async (t, driver) => {
      const { url, heads } = await peer(t, said, ok("next"));
      const [seen, after] = await ask(driver, { url }, { url });
      for (const [field, value] of Object.entries({ failure: undefined, ...(instead[driver] ?? wanted) })) {
        assert.deepEqual(field in seen || value === undefined ? seen[field] : valuesOf(seen, field), value, field);
      }
      assert.equal(after.body, "next");
      assert.ok(heads.every((head) => !/^cookie:/im.test(head)), heads.join("\n"));
    },
    Object.keys(instead),
  );
}

each(
  "requests go out as they were made",
  async (t, driver, isHeld) => {
    const { host, heads } = await peer(t, ok("", "set-cookie: session=1\r\n"));
    const url = `http://${host}/v2/a/blobs/uploads/x?_state=a%3D%3d+b%2F&n=1&n=2&empty=&digest=sha256%3Aab`;
    const headers = [["content-type", "application/octet-stream"]];
    await ask(
      driver,
      { url, headers: [["accept", "a/b"], ["authorization", "Basic x"]] },
      { url, method: "PUT", body: "abcdef", headers },
      { url, method: "PATCH", body: "abcdef", headers },
      { url, method: "POST" },
    );
    const target = url.slice(url.indexOf("/v2"));
    const firsts = heads.map((head) => head.split("\r\n")[0]);
    assert.deepEqual(firsts, ["GET", "PUT", "PATCH", "POST"].map((method) => `${method} ${target} HTTP/1.1`));
    for (const head of heads) {
      assert.deepEqual(head.match(/^host: .*$/gim)?.map((line) => line.slice(6)), [host]);
      assert.ok(!/^(transfer-encoding|expect|cookie|referer):/im.test(head), head);
      assert.equal(/^accept-encoding: identity$/im.test(head), isHeld, head);
    }
    assert.match(heads[0], /^authorization: Basic x$/im);
    assert.match(heads[0], /^accept: a\/b$/im);
    for (const head of heads.slice(1, 3)) {
      assert.ok(head.endsWith("\r\n\r\nabcdef"));
      assert.equal(head.match(/^content-length: 6$/gim)?.length, 1);
    }
    assert.equal(heads[3].match(/^content-length: 0$/gim)?.length, 1);
  },
  ["Chromium"],
);

const silent = () => {};
const stopping = (socket) => void socket.write(readable("HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\nabc"));
const breaking = (text) => (socket) => {
  if (text) socket.write(readable(text), () => pause(20).then(() => socket.resetAndDestroy()));
  else socket.resetAndDestroy();
};

const FAILURES = {
  "no head comes": [silent, "timeout"],
  "the body stops": [stopping, "timeout"],
  "the connection breaks at once": [breaking(""), "reset", { Chromium: "connect" }],
  "the connection breaks in the head": [breaking("HTTP/1.1 200 X\r\ncontent-"), "reset", { Chromium: "connect" }],
  "the connection breaks in the body": [breaking("HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\nabc"), "reset"],
  "the last piece is missing": [breaking("HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"), "reset"],
};
for (const [name, [turn, failure, instead = {}]] of Object.entries(FAILURES)) {
  each(
    name,
    async (t, driver) => {
      const { url } = await peer(t, turn, ok("next"));
      const [seen, after] = await ask(driver, { url, timeout: 300 }, { url });
      assert.equal(seen.failure, instead[driver] ?? failure);
      assert.ok(seen.took < 2000);
      assert.deepEqual([after.failure, after.body], [undefined, "next"]);
    },
    Object.keys(instead),
  );
}

each("what cannot be reached says so", async (t, driver) => {
  for (const url of ["http://127.0.0.1:1/", "http://nowhere.invalid/"]) {
    assert.equal((await ask(driver, { url }))[0].failure, "connect");
  }
});

const dripping = (pieces) => (socket) => {
  (async () => {
    for (const piece of pieces) {
      socket.write(piece);
      await pause(20);
    }
  })();
};
each(
  "slow is not broken",
  async (t, driver, isHeld) => {
    const [head, body] = [readable("HTTP/1.1 200 X\r\nconnection: close\r\ncontent-length: 20\r\n\r\n"), "x".repeat(20)];
    const { url } = await peer(t, dripping([head, ...body]), dripping([...head.match(/[^]{1,9}/g), body]));
    const [slow, slower] = await ask(driver, { url, timeout: 300 }, { url, timeout: 300 });
    assert.deepEqual([slow.failure, slow.body, slow.took > 300], [undefined, body, true]);
    // A head that drips is silence to whoever sees whole heads only.
    assert.deepEqual([slower.failure, slower.body], isHeld ? [undefined, body] : ["timeout", ""]);
  },
  ["fetch", "Chromium"],
);

/** So many bytes, as they are taken: `sent` of them so far. */
function flowing(size) {
  const flow = { sent: 0 };
  const block = Buffer.alloc(MIB);
  flow.turn = (socket) => {
    socket.write(readable(`HTTP/1.1 200 X\r\ncontent-length: ${size}\r\n\r\n`));
    const more = () => {
      if (flow.sent < size && !socket.destroyed) socket.write(block, () => ((flow.sent += MIB), more()));
    };
    more();
  };
  return flow;
}

each("connections are used again and never where something is left", async (t, driver) => {
  const large = flowing(256 * MIB).turn;
  const gone = "HTTP/1.1 404 X\r\ncontent-length: 4\r\n\r\ngone";
  const { url, connections } = await peer(t, ok("one"), gone, ok("three"), large, ok("five"));
  const left = { url, stopAfter: 10, keep: false };
  const seen = await ask(driver, { url }, { url }, { url }, left, { url });
  assert.deepEqual([0, 1, 2, 4].map((at) => seen[at].body), ["one", "gone", "three", "five"]);
  assert.equal(connections.size, 2);
});

each("a refused upload is told why", async (t, driver) => {
  const { url } = await peer(t, (socket) => {
    socket.write(readable("HTTP/1.1 413 X\r\nconnection: close\r\ncontent-length: 5\r\n\r\nlarge"));
  });
  const [seen] = await ask(driver, { url, method: "PUT", size: 16 });
  assert.deepEqual([seen.failure, seen.status, seen.body], [undefined, 413, "large"]);
});

each(
  "large bodies are never held",
  async (t, driver, isHeld) => {
    const flow = flowing(256 * MIB);
    const { url } = await peer(t, flow.turn);
    const [seen] = await ask(driver, { url, keep: false, stopAfter: 500 });
    // How much a platform hands over at once depends on how busy it is.
    assert.ok(seen.largest > 0 && seen.largest <= 4 * MIB, `${seen.largest} at once`);
    assert.ok(flow.sent < (isHeld ? 16 : 96) * MIB, `${flow.sent} were taken while nobody read`);
  },
  ["Chromium"],
);

const WHERE = {
  "before the head": silent,
  "in the body": stopping,
  "in an upload": (socket) => void socket.pause(),
};
each("cancelling ends at once and hangs up", async (t, driver) => {
  for (const [where, turn] of Object.entries(WHERE)) {
    const { url, connections } = await peer(t, turn);
    const upload = where === "in an upload" ? { method: "PUT", size: 16 } : {};
    let abortAfter = 300;
    await soon(async () => {
      const [seen] = await ask(driver, { url, timeout: null, abortAfter, ...upload });
      assert.ok(seen.failure, where);
      // On a busy machine it may take longer until the peer has heard of it.
      if (connections.size > 0) return seen.took;
      abortAfter *= 3;
      return Infinity;
    }, where);
    const [socket] = connections;
    socket.resume();
    for (let tries = 0; tries < 200 && !socket.destroyed; tries++) await pause(10);
    assert.ok(socket.destroyed, `${where}: nobody hung up`);
  }
});

each("a client pushes and pulls over each", async (t, driver) => {
  for (const token of [undefined, false, true]) {
    const known = { username: "ada", password: "secret" };
    const { host } = await registry(t, token === undefined ? {} : { ...known, token });
    const options = token === undefined ? {} : { credentials: known };
    const pushed = await drive(driver, options, "push", CHART, `oci://${host}/charts`);
    const again = await drive(driver, options, "push", CHART, `oci://${host}/charts`);
    assert.ok(again.blobs.every(({ state }) => state !== "uploaded"));
    const { data } = await drive(driver, options, "open", pushed.reference);
    assert.equal((await drive(driver, options, "pull", pushed.reference)).archive, data);
  }
});

const FAULTS = {
  "resumes": ["GET", "/blobs/", { status: null, short: 1000 }],
  "tries again after a reset": ["PUT", "/uploads/", { reset: true }],
  "tries again after a 503": ["GET", "/manifests/", { status: 503, headers: SHARED }],
  "is told of a lost answer": ["PUT", "/manifests/", { status: null, reset: true }],
};
each("a client mends what breaks over each", async (t, driver) => {
  for (const [name, [method, part, fault]] of Object.entries(FAULTS)) {
    let struck = 0;
    const strikes = (asked, target) => asked === method && target.includes(part) && struck++ === 0;
    const { host } = await registry(t, { faults: (...request) => (strikes(...request) ? fault : undefined) });
    const options = { retry: { attempts: 3, backoff: 0.01 } };
    const { reference } = await drive(driver, options, "push", CHART, `oci://${host}/charts`);
    await drive(driver, options, "open", reference);
    assert.ok(struck > 0, name);
  }
});

test("the table of the documentation says of each transport what it does", () => {
  const page = readFileSync(join(ROOT, "docs/transport.md"), "utf8");
  const table = page.slice(page.indexOf("| case |")).split("\n\n")[0];
  const rows = table.split("\n").filter(Boolean).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  const [head, , ...cases] = rows;
  assert.deepEqual(cases.map(([name]) => name), [...asked.keys()]);
  for (const [name, ...cells] of cases) {
    const differs = cells.flatMap((cell, at) => (cell === "yes" ? [] : [head[at + 1]]));
    const named = { "node:http": "`node:http`", fetch: "Node's fetch", Chromium: "Chromium's fetch" };
    assert.deepEqual(differs, asked.get(name).map((driver) => named[driver]), name);
  }
});
