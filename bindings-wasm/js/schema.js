/**
 * Values against their JSON Schema, in a module of its own: `check(chart, undefined, { schema })`. Browsers fetch it from
 * beside this file, on first use.
 */

import { Module } from "./core.js";
import * as glue from "./dist/schema.js";
import { schemaOf } from "./judge.js";

export const schema = schemaOf(new Module(glue, () => new URL("./dist/schema_bg.wasm", import.meta.url)));
