/**
 * The wasm modules and the platform under them: everything else reaches them through here. One module reads documents, one
 * talks to registries: a page that only does the former need not load the latter. They share no objects.
 */

import { ChartOciError } from "./errors.js";

/** Under this name the classes of `model.js` show each other the wasm object behind them. */
export const HANDLE = Symbol("handle");

/** A wasm module: its glue, and how it is loaded. */
export class Module {
  #glue;
  #source;
  #loading;
  #loaded = false;

  /** `source()` gives the module, its bytes or its URL; a promise of one, too. */
  constructor(glue, source) {
    this.#glue = glue;
    this.#source = source;
  }

  loadSync(module) {
    if (!this.#loaded) this.#glue.initSync({ module });
    this.#loaded = true;
  }

  /** Loads it, once. */
  async load(module) {
    if (this.#loaded) return;
    this.#loading ??= (async () => {
      if (!module && !this.#source) throw notLoaded();
      await this.#glue.default({ module_or_path: await (module ?? this.#source()) });
      this.#loaded = true;
    })().catch((error) => {
      this.#loading = undefined;
      throw error;
    });
    await this.#loading;
  }

  get functions() {
    if (!this.#loaded) throw notLoaded();
    return this.#glue;
  }
}

const notLoaded = () =>
  new ChartOciError({
    kind: "misuse",
    code: "misuse.not_loaded",
    message: "the module is not loaded yet",
    hint: "Call `await init()` once before the first sync call; with `chartoci/slim`, give it the modules.",
  });

let platform;
let documents;
let exchanges;
let isExchanging = false;

/**
 * Called once by each entry, with its modules. A platform has `transport(options)`, and where there are files `files`.
 */
export function use(modules, chosen) {
  ({ documents, exchanges } = modules);
  platform = chosen;
}

export const currentPlatform = () => platform;

/** From here on, `init` loads what talks to registries as well; with a module, it is there at once. */
export function needExchanges(module) {
  isExchanging = true;
  if (module) exchanges.loadSync(module);
}

/**
 * Loads the modules that sync functions need. Async functions do it by themselves, and those of a client load what they
 * need beyond it.
 */
export async function init(module, exchangeModule) {
  const wantsBoth = isExchanging || exchangeModule !== undefined;
  await Promise.all([documents.load(module), wantsBoth && exchanges.load(exchangeModule)]);
}

/** What reads documents. */
export const core = () => documents.functions;

/** What talks to registries. */
export const exchange = () => exchanges.functions;

/** What reads documents, after loading it if need be. */
export async function ready() {
  await documents.load();
  return core();
}

/** The same for both. */
export async function connected() {
  await Promise.all([documents.load(), exchanges.load()]);
}

/** An error that the host found; its kind and hint stand in the core's table. */
export const failure = (code, message) => core().failure(code, message);
