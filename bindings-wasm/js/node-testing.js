/** In Node the registry listens, too. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

import { collect } from "./blobs.js";
import * as testing from "./testing.js";

testing.initSync(readFileSync(new URL("./dist/registry_bg.wasm", import.meta.url)));

export class Registry extends testing.Registry {
  #server;

  get host() {
    return this.#server ? `127.0.0.1:${this.#server.address().port}` : super.host;
  }

  /** Listens on loopback; gives the registry. */
  async listen({ port = 0 } = {}) {
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  async #answer(request, response) {
    try {
      const headers = Object.entries(request.headersDistinct).flatMap(([name, values]) => values.map((value) => [name, value]));
      const body = await collect(request);
      const answer = this.serve({ method: request.method, target: request.url, headers }, body);
      response.writeHead(answer.status, answer.headers.flat());
      response.end(request.method === "HEAD" ? undefined : answer.body);
    } catch {
      response.destroy();
    }
  }

  async close() {
    this.#server?.close();
    this.#server?.closeAllConnections();
    this.#server = undefined;
  }
}
if (Symbol.asyncDispose) Registry.prototype[Symbol.asyncDispose] = Registry.prototype.close;
