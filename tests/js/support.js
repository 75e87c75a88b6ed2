// What the tests share: the library from the working tree, a chart, and peers that misbehave.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import * as chartoci from "../../bindings-wasm/js/node.js";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
export const PACKAGE = join(ROOT, "bindings-wasm/js");

export const readJson = (path) => JSON.parse(readFileSync(join(ROOT, path), "utf8"));

/** The example chart, packed. */
export const packaged = await chartoci.package(join(ROOT, "examples/web"));

/** A directory that is gone after the test. */
export function temporary(test) {
  const directory = mkdtempSync(join(tmpdir(), "chartoci-"));
  test.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs a program in a directory; gives what it prints. */
export const run = (directory, program, ...words) =>
  execFileSync(program, words, { cwd: directory, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

/** An empty folder with the packed package in it. */
export function installed(t) {
  const directory = temporary(t);
  run(PACKAGE, "npm", "pack", "--ignore-scripts", "--silent", "--pack-destination", directory);
  writeFileSync(join(directory, "package.json"), '{ "private": true }');
  run(directory, "npm", "install", "--offline", "--silent", "--no-audit", "--no-fund", "./chartoci-0.1.0.tgz");
  return directory;
}

/** A server that does what `serve(socket)` does, until the test is over: its `host:port`, and the sockets that it has. */
export async function peer(test, serve) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    serve(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  test.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { host: `127.0.0.1:${server.address().port}`, sockets };
}

/** Calls `answer(head, socket)` for each request that arrives on a socket; bodies are read away. */
export function requests(socket, answer) {
  let data = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    data = Buffer.concat([data, chunk]);
    for (;;) {
      const end = data.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = data.subarray(0, end).toString();
      const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
      if (data.length < end + 4 + length) return;
      data = data.subarray(end + 4 + length);
      answer(head, socket);
    }
  });
}

/** The error that an action ends with. */
export async function failing(action) {
  try {
    await action();
  } catch (error) {
    if (error instanceof chartoci.ChartOciError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** The hint has the first of the table's words; the others stand in it or in the message. */
export function saysWhatToDo(error, says) {
  assert.ok(error.hint.includes(says[0]), error.hint);
  for (const words of says) assert.ok(`${error.message} ${error.hint}`.includes(words), error.message);
}

const openssl = (directory, ...words) => execFileSync("openssl", words, { cwd: directory, stdio: "ignore" });

/** An authority, and a certificate of its for loopback. */
export function certificates(directory) {
  const key = ["req", "-newkey", "rsa:2048", "-nodes", "-sha256"];
  openssl(directory, ...key, "-x509", "-days", "2", "-subj", "/CN=tests", "-keyout", "ca.key", "-out", "ca.pem");
  openssl(directory, ...key, "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "request.pem");
  writeFileSync(join(directory, "names"), "subjectAltName=DNS:localhost,DNS:registry.test,IP:127.0.0.1\n");
  const sign = ["x509", "-req", "-days", "2", "-sha256", "-in", "request.pem", "-extfile", "names", "-CAcreateserial"];
  openssl(directory, ...sign, "-CA", "ca.pem", "-CAkey", "ca.key", "-out", "cert.pem");
  return Object.fromEntries(["ca", "key", "cert"].map((name) => [name, join(directory, `${name}.pem`)]));
}

/** A ustar archive of files, for what the library would not pack. */
export function tar(files) {
  const blocks = [];
  for (const [name, content] of Object.entries(files)) {
    const data = Buffer.from(content);
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write("0000644\0", 100);
    header.write("0000000\0", 108);
    header.write("0000000\0", 116);
    header.write(`${data.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("00000000000\0", 136);
    header.write("        ", 148);
    header.write("0", 156);
    header.write("ustar\0", 257);
    header.write("00", 263);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    blocks.push(header, data, Buffer.alloc((512 - (data.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
