// Drives Debian's Chromium over its debugging pipe, no driver to install, no port to open; and serves it the page.

import { spawn } from "node:child_process";
import { X509Certificate, createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const PLACES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const PAGE = fileURLToPath(new URL("page", import.meta.url));
const PACKAGE = fileURLToPath(new URL("../../bindings-wasm/js", import.meta.url));
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

/** Serves the page and the package, as a web server would; `reach`: whom the page may talk to. Gives `origin`, `close()`. */
export async function serve(reach, port = 0) {
  const policy = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src ${reach}; worker-src 'self'`;
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, "http://localhost").pathname);
    const [, first, ...rest] = path.split("/");
    const file = first === "chartoci" ? join(PACKAGE, ...rest) : join(PAGE, path === "/" ? "index.html" : path);
    if (!existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "text/plain", "content-security-policy": policy });
    response.end(readFileSync(file));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { origin: `http://127.0.0.1:${server.address().port}`, close };
}

/** Where Chromium is, if it is. */
export const chromium = PLACES.find((path) => path && existsSync(path));

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--remote-debugging-pipe",
];

/** The flags with which it believes a certificate: it can be told of no authority. */
export function pinned(certificate) {
  const { publicKey } = new X509Certificate(readFileSync(certificate));
  const key = publicKey.export({ type: "spki", format: "der" });
  return [`--ignore-certificate-errors-spki-list=${createHash("sha256").update(key).digest("base64")}`];
}

/** Starts Chromium, with more flags if need be; gives `open(url)` and `close()`. */
export async function launch(flags = []) {
  const profile = mkdtempSync(join(tmpdir(), "chartoci-chromium-"));
  const program = spawn(chromium, [...FLAGS, ...flags, `--user-data-dir=${profile}`, "about:blank"], {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  const [, , , commands, answers] = program.stdio;
  const waiting = new Map();
  const listeners = new Set();
  let count = 0;
  let rest = "";
  answers.setEncoding("utf8").on("data", (text) => {
    const messages = (rest + text).split("\0");
    rest = messages.pop();
    for (const message of messages.map((each) => JSON.parse(each))) {
      const call = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.error) call?.reject(new Error(message.error.message));
      else if (call) call.resolve(message.result);
      else for (const listener of listeners) listener(message);
    }
  });
  const send = (method, params = {}, sessionId = undefined) =>
    new Promise((resolve, reject) => {
      const id = ++count;
      waiting.set(id, { resolve, reject });
      commands.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });

  return {
    /** Opens a page; gives `evaluate(expression)`, `choose(selector, file)` and `complaints`, what its console says. */
    async open(url) {
      const { targetId } = await send("Target.createTarget", { url: "about:blank" });
      const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
      const page = (method, params) => send(method, params, sessionId);
      const complaints = [];
      const loaded = new Promise((resolve) => {
        listeners.add(({ method, params, sessionId: from }) => {
          if (from !== sessionId) return;
          if (method === "Page.loadEventFired") resolve();
          if (method === "Log.entryAdded") complaints.push(params.entry.text);
          if (method === "Runtime.exceptionThrown") complaints.push(params.exceptionDetails.exception?.description);
        });
      });
      for (const domain of ["Page", "Runtime", "Log", "DOM"]) await page(`${domain}.enable`);
      await page("Page.navigate", { url });
      await loaded;
      return {
        complaints,
        async evaluate(expression) {
          const options = { expression, awaitPromise: true, returnByValue: true, allowUnsafeEvalBlockedByCSP: false };
          const { result, exceptionDetails } = await page("Runtime.evaluate", options);
          if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
          return result.value;
        },
        async choose(selector, file) {
          const { root } = await page("DOM.getDocument");
          const { nodeId } = await page("DOM.querySelector", { nodeId: root.nodeId, selector });
          await page("DOM.setFileInputFiles", { nodeId, files: [file] });
        },
      };
    },
    async close() {
      const gone = new Promise((resolve) => program.once("exit", resolve));
      program.kill();
      await gone;
      // Its children may still be writing.
      for (let tries = 0; existsSync(profile) && tries < 50; tries++) {
        try {
          rmSync(profile, { recursive: true, force: true });
        } catch {
          await pause(100);
        }
      }
    },
  };
}
