/** Browsers and their workers: the module is fetched from beside this file, on first use. */

import { use } from "./core.js";
import * as wasm from "./dist/chartoci.js";
import { fetchTransport } from "./fetch.js";
import * as library from "./index.js";

use(wasm, {
  load: () => new URL("./dist/chartoci_bg.wasm", import.meta.url),
  transport: (options) => fetchTransport({ ...options, browser: true }),
});

// Constants of this module, not re-exports: a bundler that takes one of them takes the lines above with it.
export const { Archive, Artifact, ChartOciError, Client, Constraint, Digest, Ignore, Lock, Metadata, Packaged } = library;
export const { Reference, Report, Version, check, codes, init, show } = library;
const { package: packageDirectory } = library;
export { packageDirectory as package };
