/** In Node the module is there at once. */

import * as wasm from "./dist/node.js";
import * as driving from "./drive.js";
import { Client } from "./node.js";

export const { Digester, Exchange, Receiver, Session } = Client && wasm;
export const { drive, TransportFailure } = driving;
