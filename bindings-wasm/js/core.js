/**
 * The wasm modules and the platform under them: everything else reaches them through here. One module reads documents, one
 * knows what may be wrong with them, one packs charts, one talks to registries: no page loads what it does not use. They
 * share no objects.
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

  get isLoaded() {
    return this.#loaded;
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
let checks;
let packages;
let exchanges;
let isExchanging = false;

/**
 * Called once by each entry, with its modules. A platform has `transport(options)`, and where there are files `files`.
 */
export function use(modules, chosen) {
  ({ documents, checks, packages, exchanges } = modules);
  platform = chosen;
}

export const currentPlatform = () => platform;

/** From here on, `init` loads what talks to registries as well; with a module, it is there at once. */
export function needExchanges(module) {
  isExchanging = true;
  if (module) exchanges.loadSync(module);
}

/** Loads what sync functions need. Async functions do it by themselves, and load what they need beyond it. */
export async function init(module, { check, package: pack, exchange: machine } = {}) {
  await Promise.all([
    documents.load(module),
    check && checks.load(check),
    pack && packages.load(pack),
    (machine || isExchanging) && exchanges.load(machine),
  ]);
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

/** What knows what may be wrong with them; both, loaded. */
export async function checking() {
  await Promise.all([documents.load(), checks.load()]);
  return checks.functions;
}

/** What packs them; and what reads them, both loaded. */
export async function packing() {
  await Promise.all([documents.load(), packages.load()]);
  return packages.functions;
}

/** What reads documents and what talks to registries, loaded. */
export async function connected() {
  await Promise.all([documents.load(), exchanges.load()]);
}

/** An error that the host found; its kind and hint stand in the core's table. Before that is there, only misuse is found. */
export const failure = (code, message) =>
  documents?.isLoaded ? core().failure(code, message) : new ChartOciError({ kind: "misuse", code, message });
