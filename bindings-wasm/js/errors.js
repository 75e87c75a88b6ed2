/** What is thrown: one class, whatever happened. Programs switch on `kind`, documentation and tests name `code`. */

import { Report } from "./report.js";

/** As names are written in this language. */
const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

/** Options, which the core names as `plain_http`. */
const spoken = (text) => String(text ?? "").replace(/`[a-z_]+`/g, camel);

export class ChartOciError extends Error {
  /** `fields` are those of `toJSON`. */
  constructor(fields, options) {
    super(spoken(fields.message), options);
    this.kind = fields.kind;
    this.code = fields.code;
    this.hint = spoken(fields.hint);
    this.context = Object.create(null);
    for (const [name, value] of Object.entries(fields.context ?? {})) this.context[camel(name)] = value;
    this.status = fields.status ?? undefined;
    this.registryErrors = fields.registryErrors ?? [];
    this.report = fields.report ? new Report(fields.report) : undefined;
    // So that what looks for an abort as the platform signals it finds one.
    Object.defineProperty(this, "name", { value: fields.kind === "aborted" ? "AbortError" : "ChartOciError" });
  }

  toJSON() {
    const { kind, code, message, hint, context, status, registryErrors, report } = this;
    return { kind, code, message, hint, context, status, registryErrors, report: report?.toJSON() };
  }

  /** Back from `toJSON`, as after a message between workers: structuredClone keeps only an error's message. */
  static from(json) {
    if (typeof json?.code !== "string") {
      const message = "what is given is no error's JSON";
      throw new ChartOciError({ kind: "misuse", code: "misuse.argument", message });
    }
    return new ChartOciError(json);
  }
}

/** Called by the wasm module for what it throws. */
export const fromFields = (fields) => new ChartOciError(fields);
