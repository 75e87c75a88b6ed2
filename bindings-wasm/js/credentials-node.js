/** Where Helm, Docker and Podman keep credentials: the core says what to read and to run, `files-node.js` does it. */

import { homedir, userInfo } from "node:os";

import { core } from "./core.js";
import { run } from "./files-node.js";

// Paths are absolute, or are those of whoever named a file from where we are.
const HERE = "";

/** The user's directory, or nothing where nobody knows it. A variable that is empty says as little as none. */
function home() {
  try {
    return homedir() || userInfo().homedir;
  } catch {
    return "";
  }
}

function environment() {
  const variables = Object.entries(process.env).filter(([name]) => core().credentialVariable(name));
  return { variables, home: home(), platform: process.platform };
}

/** The credential for a repository, its kind and user, and who was asked. */
export const search = ({ registry, repository }, registryConfig, signal) =>
  run(new (core().Lookup)(environment(), registryConfig, registry, repository), HERE, { credentials: true, signal });

/** What will store a registry's credential, or remove it (null). */
export const keeper = (registry, credential, registryConfig) =>
  new (core().Keeper)(environment(), registryConfig, registry, credential);

/** Lets it do so; gives where. */
export const keep = (keeper) => run(keeper, HERE, { credentials: true });
