/** In Node the registry listens, too. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

import { collect } from "./blobs.js";
import { known } from "./given.js";
import * as testing from "./testing.js";

testing.initSync(readFileSync(new URL("./dist/registry_bg.wasm", import.meta.url)));

const write = (response, piece) => new Promise((resolve) => response.write(piece, resolve));

export class Registry extends testing.Registry {
  #server;

  get host() {
    return this.#server ? `127.0.0.1:${this.#server.address().port}` : super.host;
  }

  /** Listens on loopback; gives the registry. */
  async listen(options) {
    const { port = 0 } = known(options, ["port"]);
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  async #answer(request, response) {
    try {
      const headers = Object.entries(request.headersDistinct).flatMap(([name, values]) => values.map((value) => [name, value]));
      const body = await collect(request);
      const answer = await this.answer({ method: request.method, target: request.url, headers }, body);
      if (answer.reset) return void response.destroy();
      response.writeHead(answer.status, answer.headers.flat());
      if (request.method !== "HEAD") for await (const piece of answer.pieces) await write(response, piece);
      if (answer.broken) response.destroy();
      else response.end();
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
