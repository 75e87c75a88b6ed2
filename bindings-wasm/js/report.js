import { failure } from "./core.js";
import { Data } from "./data.js";
import { known } from "./given.js";

const place = (span) => ({
  line: span?.line,
  column: span?.column,
  endLine: span?.end_line,
  endColumn: span?.end_column,
});

/** A finding by this language's names, of what every language's JSON says of it. */
const named = ({ code, severity, document, pointer, span, message, help, fix, related = [] }) => ({
  code,
  severity,
  document,
  pointer,
  ...place(span),
  start: span?.start,
  end: span?.end,
  message,
  help,
  fix: fix ? { start: fix.span.start, end: fix.span.end, replacement: fix.replacement } : undefined,
  related: related.map((other) => ({ ...place(other.span), message: other.message })),
});

/** Findings about a document, ordered by document and place. */
export class Report extends Data {
  #handle;
  #json;
  #diagnostics;

  /** Of what a wasm module gives; or of the findings alone, as they come in an error or from another worker. */
  constructor(given) {
    super();
    if (!Array.isArray(given)) this.#handle = given;
    this.#json = Object.freeze([...(this.#handle?.diagnostics() ?? given)]);
    this.#diagnostics = this.#json.map(named);
  }

  get #whole() {
    return this.#handle ?? fail("these are findings without their texts: check the document again");
  }

  /** As what it was judged, given or guessed. */
  get kind() {
    return this.#handle?.kind() || undefined;
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

  /** As in every other language. */
  toJSON() {
    return this.#json;
  }

  /** The documents whose text is at hand, and which `fixed` can give. */
  get documents() {
    return this.#handle?.documents() ?? [];
  }

  /** A document with all fixes; every other byte stays. It need not be named where there is only one. */
  fixed(document) {
    return this.#whole.fixed(document);
  }

  /** SARIF 2.1.0, as a text. */
  toSarif() {
    return this.#whole.toSarif();
  }

  /** As a compiler prints it; with `color` for a terminal. */
  toText(options) {
    const { color = false } = known(options, ["color"]);
    return this.#whole.toText(color);
  }

  toString() {
    if (this.#handle) return this.toText();
    return this.#diagnostics
      .map(({ document, line, column, severity, code, message }) => {
        const place = line === undefined ? document : `${document}:${line}:${column}`;
        return `${place}: ${severity}[${code}]: ${message}\n`;
      })
      .join("");
  }
}

const fail = (message) => {
  throw failure("misuse.argument", message);
};
