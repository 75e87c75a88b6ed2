/** Browsers and their workers: each module is fetched from beside this file, on first use. */

import { Module, use } from "./core.js";
import * as documents from "./dist/chartoci.js";
import * as checks from "./dist/check.js";
import * as exchanges from "./dist/exchange.js";
import * as packages from "./dist/package.js";
import { fetchTransport } from "./fetch.js";
import * as library from "./index.js";

use(
  {
    documents: new Module(documents, () => new URL("./dist/chartoci_bg.wasm", import.meta.url)),
    checks: new Module(checks, () => new URL("./dist/check_bg.wasm", import.meta.url)),
    packages: new Module(packages, () => new URL("./dist/package_bg.wasm", import.meta.url)),
    exchanges: new Module(exchanges, () => new URL("./dist/exchange_bg.wasm", import.meta.url)),
  },
  { transport: (options) => fetchTransport({ ...options, browser: true }) },
);

// Constants of this module, not re-exports: a bundler that takes one of them takes the lines above with it.
export const { Archive, Artifact, ChartOciError, Client, Constraint, Digest, Ignore, Lock, Metadata, Packaged } = library;
export const { Reference, Report, Version, check, codes, init, show } = library;
const { package: packageDirectory } = library;
export { packageDirectory as package };
