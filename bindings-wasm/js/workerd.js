/** Workers at the edge: modules are compiled at deployment, fetch is the only way out. */

import documentsModule from "./dist/chartoci_bg.wasm";
import checkModule from "./dist/check_bg.wasm";
import exchangeModule from "./dist/exchange_bg.wasm";
import packageModule from "./dist/package_bg.wasm";

import { Module, use } from "./core.js";
import * as documents from "./dist/chartoci.js";
import * as checks from "./dist/check.js";
import * as exchanges from "./dist/exchange.js";
import * as packages from "./dist/package.js";
import { fetchTransport } from "./fetch.js";
import * as library from "./index.js";

const modules = {
  documents: new Module(documents),
  checks: new Module(checks, () => checkModule),
  packages: new Module(packages, () => packageModule),
  exchanges: new Module(exchanges, () => exchangeModule),
};
modules.documents.loadSync(documentsModule);
use(modules, { transport: fetchTransport });

// Constants of this module, not re-exports: a bundler that takes one of them takes the lines above with it.
export const { Archive, Artifact, ChartOciError, Client, Constraint, Digest, Ignore, Lock, Metadata, Packaged } = library;
export const { Reference, Report, Version, check, codes, init, show } = library;
const { package: packageDirectory } = library;
export { packageDirectory as package };
