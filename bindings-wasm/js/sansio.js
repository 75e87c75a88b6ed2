/** The machines themselves, for those who bring their own transport. From here on `init` loads their module as well. */

import { needExchanges } from "./core.js";
import * as documents from "./dist/chartoci.js";
import * as exchanges from "./dist/exchange.js";
import * as driving from "./drive.js";
import * as model from "./model.js";

needExchanges();

export const { Exchange, Receiver, Session } = exchanges;
export const { Digester } = documents;
export const { drive, TransportFailure } = driving;
export const { Push } = model;
