/** In Node the modules are there at once. */

import { readFileSync } from "node:fs";

import { needExchanges } from "./core.js";
import * as exchanges from "./dist/exchange.js";
import * as documents from "./dist/node.js";
import * as driving from "./drive.js";
import * as model from "./model.js";
import { Client } from "./node.js";

needExchanges(readFileSync(new URL("./dist/exchange_bg.wasm", import.meta.url)));

export const { Exchange, Receiver, Session } = exchanges;
export const { Digester } = Client && documents;
export const { drive, TransportFailure } = driving;
export const { Push } = model;
