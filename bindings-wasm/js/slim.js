/**
 * Bring your own modules: `await init(module)`, with a WebAssembly.Module, its bytes, or what fetch gives; for `check`, for
 * `package` and for a client `await init(module, { check: module, package: module, exchange: module })`.
 */

import { Module, use } from "./core.js";
import * as documents from "./dist/chartoci.js";
import * as checks from "./dist/check.js";
import * as exchanges from "./dist/exchange.js";
import * as packages from "./dist/package.js";
import { fetchTransport } from "./fetch.js";
import * as library from "./index.js";

// Pages, their workers and service workers alike: no other runtime calls itself so.
const browser = /^Mozilla\//.test(globalThis.navigator?.userAgent);

use(
  {
    documents: new Module(documents),
    checks: new Module(checks),
    packages: new Module(packages),
    exchanges: new Module(exchanges),
  },
  { transport: (options) => fetchTransport({ ...options, browser }) },
);

// Constants of this module, not re-exports: a bundler that takes one of them takes the lines above with it.
export const { Archive, Artifact, ChartOciError, Client, Constraint, Digest, Ignore, Lock, Metadata, Packaged } = library;
export const { Reference, Report, Version, check, codes, init, show } = library;
const { package: packageDirectory } = library;
export { packageDirectory as package };
