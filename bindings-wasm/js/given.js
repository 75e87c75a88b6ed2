/** What callers hand in, looked at before it goes into a module. */

import { failure } from "./core.js";
import { INSPECT } from "./data.js";

/** What has one written form, which stands for it wherever a text does. */
export class Written {
  #text;

  constructor(text) {
    this.#text = text;
  }

  /** Of the same class, and written in the same way. */
  equals(other) {
    return other?.constructor === this.constructor && String(other) === this.#text;
  }

  toString() {
    return this.#text;
  }

  toJSON() {
    return this.#text;
  }

  /** As Node's console shows it. */
  [INSPECT]() {
    return `${this.constructor.name}(${this.#text})`;
  }
}

/** As text where it has a written form; anything else as it is. */
export const written = (value) => (value instanceof Written || value instanceof URL ? String(value) : value);

/** What the glue gives a module as a text. Anything else would have it read memory that is not its own. */
export function text(value, name) {
  if (typeof value !== "string") throw failure("misuse.argument", `${name}: ${describe(value)} is no text`);
  return value;
}

/** What the glue gives a module as bytes. */
export function bytes(value, name) {
  if (ArrayBuffer.isView(value) && value.BYTES_PER_ELEMENT === 1) return value;
  throw failure("misuse.argument", `${name}: ${describe(value)} is no Uint8Array`);
}

/** A list of what has a written form. */
export const texts = (values, name) => list(values, name).map((value) => text(written(value), name));

export function list(values, name) {
  if (typeof values === "object" && typeof values?.[Symbol.iterator] === "function") return [...values];
  throw failure("misuse.argument", `${name}: ${describe(values)} is no list`);
}

/** Options of these names; `place` is what the caller calls them. */
export function known(options, names, place = "options") {
  if (options === undefined || options === null) return {};
  if (typeof options !== "object") throw failure("misuse.argument", `${place}: ${describe(options)} holds none`);
  const strange = Object.keys(options).find((name) => !names.includes(name));
  if (strange === undefined) return usable(options);
  const meant = plain(strange);
  const near = names.find((name) => plain(name) === meant);
  const remedy = near ? `: is ${near} meant?` : names.length > 0 ? `; there are ${names.join(", ")}` : "";
  throw failure("misuse.argument", `there is no option ${JSON.stringify(strange.slice(0, 40))} here${remedy}`);
}

/** Options of what `map` may call, which hands in an index in their place: `texts.map(Version.parse)`. */
export const mapped = (options, names) => known(typeof options === "number" ? undefined : options, names);

/** What would be called, and found wanting, only later. */
function usable(options) {
  for (const name of ["fetch", "faults", "onProgress"]) wants(options, name, "function", (value) => value);
  wants(options, "signal", "AbortSignal", (signal) => signal.addEventListener);
  return options;
}

function wants(options, name, what, callable) {
  const value = options[name];
  if (value === undefined || value === null || typeof callable(value) === "function") return;
  throw failure("misuse.argument", `${name}: ${describe(value)} is no ${what}`);
}

const plain = (name) => name.slice(0, 40).replace(/[-_]/g, "").toLowerCase();

export const describe = (value) =>
  value === null || value === undefined ? String(value) : `a value of type ${value.constructor?.name ?? typeof value}`;
