import type { Limits, WasmModule } from "./index.js";

/** Something that does not fit. */
export interface Violation {
  /** Where in the values: RFC 6901. */
  readonly pointer: string;
  /** Which part of the schema says so: RFC 6901. */
  readonly rule: string;
  readonly message: string;
}

/** A validator of JSON Schema: drafts 4, 6, 7, 2019-09 and 2020-12. */
export interface Schema {
  /** Loads the wasm module, which otherwise happens on first use: `chartoci/schema.wasm`, as a module, its bytes or a response. */
  init(module?: WasmModule): Promise<void>;
  /** What does not fit. Schema and values are bytes of JSON; nothing that the schema refers to is ever fetched. */
  validate(schema: Uint8Array, values: Uint8Array, options?: { limits?: Limits }): Promise<Violation[]>;
}

/** For `check(chart, undefined, { schema })`, which judges the chart's defaults by it. */
export const schema: Schema;
