/**
 * The machine itself, for those who bring their own transport: poll until `wait` or `done` after every `handle…`; start each
 * `send` now or later; answers may come in any order.
 */

import type { Artifact, ChartOciError, ClientOptions, Credential, Descriptor, Event } from "chartoci";
import type { PushOptions, Reference } from "chartoci";

/** As `VersionOptions`; a machine takes texts as they are. */
export interface VersionTexts {
  version?: string;
  devel?: boolean;
}

/** What holds for all exchanges of a session. */
export type SessionOptions = Pick<
  ClientOptions,
  "userAgent" | "limits" | "retry" | "concurrency" | "plainHttp" | "idleTimeout" | "timeout"
> & {
  seed?: number;
  /** The transport hands back redirects. True. */
  manualRedirects?: boolean;
  /** The transport shows all headers. True. */
  allHeaders?: boolean;
  hasCredentials?: boolean;
  /** The transport has options for TLS: `plainHttp: "loopback"` then stands for no host. */
  tlsOptions?: boolean;
};

declare class Handle {
  free(): void;
}

/** Policy, tokens, what was learned about each host. */
export class Session extends Handle {
  constructor(options: SessionOptions);
}

/** What goes out with a request: nothing, bytes, or a part of a blob that the host has. */
export type Payload =
  | { kind: "empty" }
  | { kind: "bytes"; bytes: Uint8Array }
  | { kind: "blob"; blob: number; start: number; end: number };

/** A request that is to be sent as it is. */
export interface Request {
  id: number;
  method: string;
  url: string;
  /** Never Host, Content-Length, Connection. */
  headers: [name: string, value: string][];
  payload: Payload;
  /** Where the body of a 200 or 206 is stored. */
  sink: number | undefined;
  redirect: "manual" | "follow";
  /** Milliseconds of silence, while anything is sent and while the answer's body arrives. */
  timeout: number | undefined;
  /** Milliseconds of silence between the last byte that is sent and the answer's head. */
  thinking: number | undefined;
}

/** Asks for a credential. */
export interface Query {
  id: number;
  registry: string;
  repository: string;
  realm: string | undefined;
  service: string | undefined;
  scope: string | undefined;
  refused: boolean;
  own: boolean;
}

/** What an exchange says. */
export type Output =
  | { kind: "send"; request: Request }
  | { kind: "cancel"; id: number }
  | { kind: "ask"; query: Query }
  | { kind: "notify"; event: Event }
  | { kind: "wait"; until: number | undefined; why: string }
  | { kind: "done"; outcome?: unknown; error?: Error };

/** Why a request could not be completed. */
export interface Failure {
  kind: "connect" | "proxy" | "tls" | "timeout" | "reset" | "storage" | "forbidden" | "other";
  message?: string;
}

/** What is pushed, and where to: as data, a chart's bytes aside. */
export class Push {
  private constructor();
  /** To `TARGET/NAME:VERSION`. */
  static chart(artifact: Artifact, target: string | Reference | URL): Push;
  /** To that very reference, whatever the chart is called. */
  static to(artifact: Artifact, target: string | Reference): Push;
  /** The reference that it gets. */
  readonly target: string;
  /** By the number of their blob: where there are no bytes, the host has them. */
  readonly uploads: readonly { readonly descriptor: Descriptor; readonly bytes: Uint8Array | undefined }[];
  readonly manifest: Uint8Array;
  readonly mediaType: string;
}

/** One operation: asked by `poll` what it wants, told by `handle…` what came of it. */
export class Exchange extends Handle {
  private constructor();
  static pull(
    session: Session,
    reference: string,
    options: VersionTexts & {
      checkTag?: boolean; verify?: boolean;
      chart?: boolean; provenance?: boolean; config?: boolean; anything?: boolean;
    },
  ): Exchange;
  /** Blob 0 is the config, which the machine holds; 1 is the chart, 2 its provenance. */
  static push(session: Session, push: Push, options: Pick<PushOptions, "ifExists">): Exchange;
  static resolve(session: Session, reference: string, options: VersionTexts): Exchange;
  static tags(session: Session, repository: string): Exchange;
  static fetch(session: Session, repository: string, descriptor: Descriptor): Exchange;
  /** The bytes from `start` to `end` of a blob: what a copy between registries takes from its source. */
  static fetchPart(session: Session, repository: string, descriptor: Descriptor, start: number, end: number): Exchange;
  /** The config of a chart that is here already, into blob 0, by one try. */
  static config(session: Session, repository: string, descriptor: Descriptor): Exchange;
  static copy(session: Session, source: string, target: string, options: { referrers?: boolean; upgrade?: boolean }): Exchange;
  static delete(session: Session, reference: string): Exchange;
  static referrers(session: Session, reference: string, artifactType?: string): Exchange;
  /** Whether the registry takes the credential that it is answered with. */
  static login(session: Session, registry: string): Exchange;
  /** In a copy: where the bytes of a blob come from. */
  source(blob: number): { repository: string; descriptor: Descriptor } | undefined;
  /** Allows the whole exchange so many seconds, in place of the session's. Counts from the first poll. */
  setTimeout(seconds: number): void;
  /** It is part of something that is for that reference, as the fetch of a copy's blob is: see `own` of what is asked. */
  onBehalfOf(reference: string): void;
  /** `now` in milliseconds of a clock that never goes back. */
  poll(now: number): Output;
  handleResponse(id: number, head: { status: number; headers: [string, string][]; url?: string }): Receiver;
  /** The receiver is used up. */
  handleEnd(id: number, receiver: Receiver): void;
  handleFailure(id: number, failure: Failure, receiver?: Receiver): void;
  /** The error: what stood in the way of a credential. */
  handleCredential(id: number, credential: Exclude<Credential, string | readonly string[]> | ChartOciError | null): void;
  abort(): void;
}

/** Takes the bytes of one body. */
export class Receiver extends Handle {
  private constructor();
  /** False: read no further, hand it back. */
  write(chunk: Uint8Array): boolean;
  /** What is stored is cut to this first. */
  readonly offset: number;
  readonly stores: boolean;
  /** Milliseconds that the body may take in all; then it is given up as a failure, `timeout`. */
  readonly patience: number | undefined;
  readonly seen: number;
  readonly expected: number | undefined;
  readonly digest: string | undefined;
}

/** Hashes bytes as they come. */
export class Digester extends Handle {
  constructor(algorithm?: "sha256" | "sha512");
  update(data: Uint8Array): void;
  /** The digester is used up. */
  finish(): string;
}

/** A transport's failure, to be thrown by `send`. */
export class TransportFailure extends Error {
  constructor(kind: Failure["kind"], message?: string);
  readonly kind: Failure["kind"];
}

/** Sends one request, as it is, and says what comes back, as it is. */
export interface Transport {
  send(
    request: Request & { body: Uint8Array | undefined; onSent: (count: number) => void; signal: AbortSignal },
  ): Promise<{ status: number; headers: [string, string][]; url?: string; body: AsyncIterable<Uint8Array> }>;
  /** `streams`: it takes bodies that are an `AsyncIterable` with a `length`. */
  readonly traits?: { readonly streams?: boolean };
}

/** Takes a blob. */
export interface Sink {
  /** Keeps the first bytes, so many. */
  cut(offset: number): void | Promise<void>;
  write(chunk: Uint8Array): void | Promise<void>;
}

/** Drives an exchange over a transport; gives its outcome. */
export function drive(
  exchange: Exchange,
  options: {
    transport: Transport;
    blobs?: (Uint8Array | Blob | undefined)[];
    sinks?: Sink[];
    names?: string[];
    /** The signal: nobody waits for it any more. */
    credentials?: (query: Query, signal: AbortSignal) => unknown;
    signal?: AbortSignal;
    onProgress?: (event: Event) => void;
    /** In a copy: the bytes of another registry's blob; into the sink, if the transport streams. */
    fetchPart?: (
      repository: string,
      descriptor: Descriptor,
      start: number,
      end: number,
      signal: AbortSignal,
      sink?: Sink,
    ) => Promise<Uint8Array | undefined>;
  },
): Promise<unknown>;
