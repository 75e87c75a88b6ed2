/** A registry in memory: hand its `fetch` to a client, and there is no network at all. */

import { Module } from "./core.js";
import * as wasm from "./dist/registry.js";
import { answer, striking } from "./faults.js";
import { known, list } from "./given.js";

const own = new Module(wasm, () => new URL("./dist/registry_bg.wasm", import.meta.url));

/** Loads the registry's own module, once. `fetch` does it by itself. */
export const init = (module) => own.load(module);

export const initSync = (module) => own.loadSync(module);

const bodiless = (method, status) => method === "HEAD" || status === 204 || status === 304;

/** A body that ends, or breaks off. */
function stream(pieces, broken) {
  const iterator = (async function* () {
    yield* pieces;
  })();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (!done) return void (value.length > 0 ? controller.enqueue(value) : await this.pull(controller));
      if (broken) controller.error(new TypeError("the registry has hung up"));
      else controller.close();
    },
  });
}

const now = () => performance.now();

const OPTIONS = ["username", "password", "token", "tokenLifetime", "corsOrigins", "hosts", "limits", "faults", "seed"];

export class Registry {
  #options;
  #core;

  /** `username` and `password` ask for Basic credentials, with `token` for a token that the registry gives for them. */
  constructor(options) {
    this.#options = known(options, OPTIONS);
  }

  /** What stands in a reference to it: `oci://${registry.host}/charts`. */
  get host() {
    return "registry.test";
  }

  /** As the global `fetch`: to this registry, whatever the URL's host. */
  fetch = async (input, options) => {
    await init();
    const request = new Request(input, options);
    const url = new URL(request.url);
    const fields = [...request.headers].filter(([name]) => name !== "host");
    const body = new Uint8Array(await request.arrayBuffer());
    request.signal.throwIfAborted();
    const head = { method: request.method, target: url.pathname + url.search, headers: [["host", url.host], ...fields] };
    const { status, headers, pieces, reset, broken } = await this.answer(head, body, { https: url.protocol === "https:" });
    request.signal.throwIfAborted();
    if (reset) throw new TypeError("the registry has hung up");
    return new Response(bodiless(request.method, status) ? null : stream(pieces, broken), { status, headers });
  };

  /** As `serve`, with what `faults` makes of it. */
  answer(head, body, options) {
    return answer(striking(this.#options.faults, head, body), head, (seen) => this.serve(seen, body, options));
  }

  /** One request and its answer: `{ status, headers, body }`. */
  serve(head, body = new Uint8Array(), { https = false } = {}) {
    this.#core ??= new wasm.Registry({
      seed: crypto.getRandomValues(new Uint32Array(1))[0],
      https,
      ...this.#options,
      hosts: ["registry.test", ...list(this.#options.hosts ?? [], "hosts")],
    });
    return this.#core.serve(head, body, now());
  }
}
