/** What the library gives. */

/** Under this name Node's console finds how something is shown. */
export const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** A result: its JSON says what it is. */
export class Data {
  /** Of the same class, and with the same JSON. */
  equals(other) {
    return other?.constructor === this.constructor && JSON.stringify(other) === JSON.stringify(this);
  }

  [INSPECT](depth, options, inspect) {
    const { name } = this.constructor;
    try {
      return `${name} ${inspect(JSON.parse(JSON.stringify(this)), options)}`;
    } catch (error) {
      return `${name} (${error.message})`;
    }
  }
}
