/** Findings about a document, ordered by document and place. */
export class Report {
  #diagnostics;

  constructor(diagnostics) {
    this.#diagnostics = Object.freeze([...diagnostics]);
  }

  get ok() {
    return this.errors.length === 0;
  }

  get errors() {
    return this.#diagnostics.filter((diagnostic) => diagnostic.severity === "error");
  }

  get warnings() {
    return this.#diagnostics.filter((diagnostic) => diagnostic.severity === "warning");
  }

  get length() {
    return this.#diagnostics.length;
  }

  [Symbol.iterator]() {
    return this.#diagnostics[Symbol.iterator]();
  }

  toJSON() {
    return this.#diagnostics;
  }

  toString() {
    return this.#diagnostics
      .map(({ document, line, column, severity, code, message }) => {
        const place = line === undefined ? document : `${document}:${line}:${column}`;
        return `${place}: ${severity}[${code}]: ${message}\n`;
      })
      .join("");
  }
}
