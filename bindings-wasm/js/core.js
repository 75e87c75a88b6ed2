/** The wasm module and the platform under it: everything else reaches both through here. */

import { ChartOciError } from "./errors.js";

/** Under this name the classes of `model.js` show each other the wasm object behind them. */
export const HANDLE = Symbol("handle");

let platform;
let wasm;
let loading;
let loaded = false;

/**
 * Called once by each entry, with the glue of its module. A platform has `load()`, which gives a module (a promise of one,
 * too); `transport(options)`; and where there are files `files`.
 */
export function use(glue, chosen) {
  wasm = glue;
  platform = chosen;
}

export const currentPlatform = () => platform;

export function loadSync(module) {
  wasm.initSync({ module });
  loaded = true;
}

/** Loads the module, once. Async functions do it by themselves; what is sync needs it done before. */
export async function init(module) {
  if (loaded) return;
  loading ??= (async () => {
    await wasm.default({ module_or_path: await (module ?? platform?.load()) });
    loaded = true;
  })().catch((error) => {
    loading = undefined;
    throw error;
  });
  await loading;
}

/** The module's functions. */
export function core() {
  if (loaded) return wasm;
  throw new ChartOciError({
    kind: "misuse",
    code: "misuse.not_loaded",
    message: "the module is not loaded yet",
    hint: "Call `await init()` once before the first sync call.",
  });
}

/** The module's functions, after loading it if need be. */
export async function ready() {
  await init();
  return wasm;
}

/** An error that the host found; its kind and hint stand in the core's table. */
export const failure = (code, message) => core().failure(code, message);
