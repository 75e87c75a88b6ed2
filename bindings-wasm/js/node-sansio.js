/** In Node the module is there at once. */

import { Client } from "./node.js";
import * as machines from "./sansio.js";

export const { Digester, Exchange, Extract, Lookup, Package, Receiver, Session } = Client && machines;
export const { drive, TransportFailure } = machines;
