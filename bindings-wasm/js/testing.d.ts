/** A registry in this very process, for tests and demonstrations. */

import type { Limits } from "chartoci";

/** What a registry is like. */
export interface RegistryOptions {
  /** With `password`: Basic credentials are asked for. */
  username?: string;
  password?: string;
  /** A token is asked for, which the registry itself gives for user and password. */
  token?: boolean;
  /** How long a token is good for, in seconds; 300 if not given. */
  tokenLifetime?: number;
  /** Origins whose pages may read and write. */
  corsOrigins?: Iterable<string>;
  /** Hosts that it answers for, besides loopback names. */
  hosts?: Iterable<string>;
  limits?: Limits;
  /** Asked about every request, by method and target: what goes wrong with it, if anything. */
  faults?: (method: string, target: string) => Fault | undefined;
  /** Of upload ids and tokens: for the same ones each time. */
  seed?: number;
}

/**
 * What a registry does wrong with one request. With a status (503 if none is given) it gives that answer and does nothing of
 * what was asked; with `status: null` it does what was asked, and spoils its own answer.
 */
export interface Fault {
  status?: number | null;
  /** In place of those of the same name; an empty one is left out. */
  headers?: Record<string, string>;
  /** In place of the answer's body. */
  body?: string | Uint8Array;
  /** Seconds that pass first. */
  delay?: number;
  /** Hangs up before the first byte of the answer. */
  reset?: boolean;
  /** Hangs up after so many bytes of the body. */
  short?: number;
  /** Seconds that pass between the pieces of the body, some 16 of them. */
  drip?: number;
  /** Changes the first byte of the body. */
  flip?: boolean;
  /** Request headers that the registry does not see, in lower case: `["range"]`. */
  ignore?: string[];
  /** Only requests whose bodies are larger suffer. */
  above?: number;
  /** Only requests whose bodies are smaller suffer. */
  below?: number;
}

/** A request, as it came. */
export interface RegistryRequest {
  method: string;
  /** Path and query. */
  target: string;
  /** `host` among them. */
  headers: [name: string, value: string][];
}

/** An OCI registry whose blobs lie in memory. */
export class Registry {
  constructor(options?: RegistryOptions);
  /** For references: `oci://${registry.host}/charts`. */
  readonly host: string;
  /** In place of the global `fetch`: no network at all. */
  readonly fetch: typeof fetch;
  /** One request and its answer. */
  serve(
    request: RegistryRequest,
    body?: Uint8Array,
  ): { status: number; headers: [name: string, value: string][]; body: Uint8Array };
  /** Listens on loopback, on a free port if none is given; gives the registry. Node. */
  listen(options?: { port?: number }): Promise<this>;
  /** Listens no more. Node. */
  close(): Promise<void>;
}

/** Loads the registry's own module, once; `fetch` does it by itself, Node at import. */
export function init(module?: object | string): Promise<unknown>;
