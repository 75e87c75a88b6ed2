/** As `schema.js`; Node reads the module from the disk. */

import { readFileSync } from "node:fs";

import { Module } from "./core.js";
import * as glue from "./dist/schema.js";
import { schemaOf } from "./judge.js";

export const schema = schemaOf(new Module(glue, () => readFileSync(new URL("./dist/schema_bg.wasm", import.meta.url))));
