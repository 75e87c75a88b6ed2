/** Node: what reads documents is loaded at once, without waiting, so that `require` works too; the rest on first use. */

import { readFileSync } from "node:fs";

import { Module, use } from "./core.js";
import * as credentials from "./credentials-node.js";
import * as exchanges from "./dist/exchange.js";
import * as documents from "./dist/node.js";
import { fetchTransport } from "./fetch.js";
import * as files from "./files-node.js";
import * as library from "./index.js";
import { nodeTransport } from "./node-http.js";

const read = (name) => readFileSync(new URL(`./dist/${name}_bg.wasm`, import.meta.url));
const own = new Module(documents);
own.loadSync(read("node"));
const modules = { documents: own, checks: own, packages: own, exchanges: new Module(exchanges, () => read("exchange")) };
use(modules, {
  files,
  transport: (options) => (options.fetch ? fetchTransport(options) : nodeTransport(options)),
  credentials,
});

// Constants of this module, not re-exports: a bundler that takes one of them takes the lines above with it.
export const { Archive, Artifact, ChartOciError, Client, Constraint, Digest, Ignore, Lock, Metadata, Packaged } = library;
export const { Reference, Report, Version, check, codes, init, show } = library;
const { package: packageDirectory } = library;
export { packageDirectory as package };
