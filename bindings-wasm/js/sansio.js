/** The machines themselves, for those who bring their own transport. The module must be loaded. */

export { Digester, Exchange, Receiver, Session } from "./dist/chartoci.js";
export { drive, TransportFailure } from "./drive.js";
