/** What every platform has. */

export { Client } from "./client.js";
export { init } from "./core.js";
export { ChartOciError } from "./errors.js";
export { Archive, Artifact, Constraint, Digest, Ignore, Lock, Metadata, Packaged, Reference, Version } from "./model.js";
export { check, codes, packageDirectory as package, show } from "./model.js";
export { Report } from "./report.js";
