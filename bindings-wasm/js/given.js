/** What callers hand in, looked at before it goes into a module. */

import { failure } from "./core.js";

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
  [Symbol.for("nodejs.util.inspect.custom")]() {
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

export const describe = (value) =>
  value === null || value === undefined ? String(value) : `a value of type ${value.constructor?.name ?? typeof value}`;
