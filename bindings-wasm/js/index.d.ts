/**
 * Helm charts in OCI registries.
 *
 * Whatever may wait is async and loads the wasm module by itself. What is sync (`Reference.parse`, `Version.parse`, …) needs
 * it loaded: in Node it is from the import on, elsewhere after `await init()`. Everything that goes wrong is a
 * {@link ChartOciError}. Times are seconds, sizes bytes.
 */

/** Where bytes come from. A string or a file URL is a path, in Node alone. */
export type Source =
  | Uint8Array
  | ArrayBuffer
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | string
  | URL;

/** A document's content: a string is its text, never a path. */
export type Text = string | Uint8Array | ArrayBuffer;

/** A WebAssembly.Module, its bytes, a Response (or a promise of one), or a URL. */
export type WasmModule = object | string;

/**
 * Loads the wasm module, once. What `check`, `package` and a client need beyond it are modules of their own, which their functions load
 * by themselves. All of them are found by themselves, save from `chartoci/slim`, which is given them.
 *
 * ```js
 * import { init, Version } from "chartoci";
 * await init(); // browsers need it before what is sync; Node has done it
 * assert.equal(Version.parse("1.2.0").minor, 2);
 * ```
 */
export function init(module?: WasmModule, others?: { check?: WasmModule; package?: WasmModule; exchange?: WasmModule }): Promise<void>;

/** Bounds on what is read, in bytes where nothing else is said. */
export interface Limits {
  /** A packed archive, or any other blob that is held in memory. 128 MiB. */
  archive?: number;
  /** All files of an archive together, unpacked. 100 MiB. */
  unpacked?: number;
  /** Unpacked bytes for each packed byte. 1,100. */
  ratio?: number;
  /** One file of an archive. 100 MiB. */
  file?: number;
  /** Entries of an archive. 65,536. */
  files?: number;
  /** Archives within archives. 8. */
  nesting?: number;
  /** A YAML or JSON document. 16 MiB. */
  document?: number;
  /** Levels of a document. 128. */
  depth?: number;
  /** Nodes of a document after aliases were expanded. 1,000,000. */
  nodes?: number;
  /** A manifest. 4 MiB. */
  manifest?: number;
  /** A config blob. 1 MiB. */
  config?: number;
  /** A provenance file. 1 MiB. */
  provenance?: number;
  /** A token server's answer. 128 KiB. */
  token?: number;
  /** An error's body. 64 KiB. */
  errorBody?: number;
  /** One page of a list. 4 MiB. */
  page?: number;
  /** Pages of a list. 1,000. */
  pages?: number;
  /** All tags of a list, from all its pages, each with 32 bytes besides its own. 64 MiB. */
  tags?: number;
  /** Redirects that are followed. 5. */
  redirects?: number;
}

/** Takes bounds on what is read. */
export interface Limited {
  limits?: Limits;
}

// ── Errors and findings ──

/** Whose fault it is, and what a program does next. */
export type Kind =
  | "invalid"
  | "misuse"
  | "not_found"
  | "denied"
  | "conflict"
  | "unsupported"
  | "protocol"
  | "integrity"
  | "limit"
  | "transport"
  | "aborted";

/** One entry of the `errors` in a registry's answer. */
export interface RegistryError {
  readonly code: string;
  readonly message: string;
  /** Anything the registry adds, as JSON text; may be empty. */
  readonly detail: string;
}

/** An error as data, between workers and in logs. */
export interface ErrorFields {
  kind: Kind;
  code: string;
  message: string;
  hint?: string;
  context?: Record<string, string>;
  status?: number;
  registryErrors?: RegistryError[];
  report?: readonly DiagnosticJSON[];
}

/**
 * What is thrown, whatever happened. Where `kind` is `"aborted"`, `name` is `"AbortError"` and `cause` the signal's reason.
 *
 * ```js
 * import { ChartOciError, Reference } from "chartoci";
 * try {
 *   Reference.parse("http://registry.example/web");
 * } catch (error) {
 *   assert(error instanceof ChartOciError);
 *   assert.deepEqual([error.kind, error.code], ["invalid", "reference.scheme"]);
 * }
 * ```
 */
export class ChartOciError extends Error {
  private constructor(fields: ErrorFields);
  readonly kind: Kind;
  /** A stable name: `reference.tag`. {@link codes} lists them all. */
  readonly code: string;
  /** What to do about it. */
  readonly hint: string;
  /** The facts of this case. */
  readonly context: Readonly<Record<string, string>>;
  /** The status of the answer that caused it. */
  readonly status: number | undefined;
  readonly registryErrors: readonly RegistryError[];
  /** The findings that led to it. */
  readonly report: Report | undefined;
  toJSON(): ErrorFields;
  /** Back from `toJSON`: structuredClone keeps only an error's message. */
  static from(json: ErrorFields): ChartOciError;
}

/** How bad a finding is: an error stops a push, a warning does not, an information is no fault. */
export type Severity = "error" | "warning" | "info";

/** A finding about a document. Lines and columns count from 1, bytes from 0. */
export interface Diagnostic {
  readonly code: string;
  readonly severity: Severity;
  readonly document: string;
  /** RFC 6901; empty for the whole document. */
  readonly pointer: string;
  readonly line: number | undefined;
  readonly column: number | undefined;
  readonly endLine: number | undefined;
  readonly endColumn: number | undefined;
  /** The first byte of the place in the document. */
  readonly start: number | undefined;
  /** The byte behind the place. */
  readonly end: number | undefined;
  readonly message: string;
  readonly help: string;
  /** A replacement for some bytes that mends it without harm. */
  readonly fix: { readonly start: number; readonly end: number; readonly replacement: string } | undefined;
  /** Other places that have to do with it. */
  readonly related: readonly {
    readonly line: number;
    readonly column: number;
    readonly endLine: number;
    readonly endColumn: number;
    readonly message: string;
  }[];
}

/** A place in a document, in JSON: lines and columns count from 1, bytes from 0. */
export interface SpanJSON {
  readonly start: number;
  readonly end: number;
  readonly line: number;
  readonly column: number;
  readonly end_line: number;
  readonly end_column: number;
}

/** A finding as every language's JSON has it: docs/cli.schema.json. */
export interface DiagnosticJSON {
  readonly code: string;
  readonly severity: Severity;
  readonly document: string;
  readonly pointer: string;
  readonly span: SpanJSON | null;
  readonly message: string;
  readonly help: string;
  readonly fix: { readonly span: SpanJSON; readonly replacement: string } | null;
  readonly related: readonly { readonly span: SpanJSON; readonly message: string }[];
}

/**
 * Findings, ordered by document and place.
 *
 * ```js
 * import { check } from "chartoci";
 * const report = await check(new TextEncoder().encode("name: web\nversion: one\n"));
 * assert.equal(report.ok, false);
 * assert(report.errors.some(({ code, line }) => code === "chart.version" && line === 2));
 * ```
 */
export class Report implements Iterable<Diagnostic> {
  private constructor();
  /** As what it was judged, given or guessed; of what `check` gives. */
  readonly kind: DocumentKind | undefined;
  /** No finding is an error. */
  readonly ok: boolean;
  readonly errors: Diagnostic[];
  readonly warnings: Diagnostic[];
  readonly length: number;
  /** The documents whose text is at hand, and which `fixed` can give. */
  readonly documents: string[];
  [Symbol.iterator](): IterableIterator<Diagnostic>;
  /** The same in every language, and what `chartoci check --json` prints as `diagnostics`. */
  toJSON(): readonly DiagnosticJSON[];
  /** A document with all fixes; every other byte stays. It need not be named where there is only one. */
  fixed(document?: string): Uint8Array;
  /** SARIF 2.1.0, which code hosts show beside the lines. */
  toSarif(): string;
  /** As a compiler prints it. The findings of errors and archives come alone: without lines to show, and in no other form. */
  toText(options?: { color?: boolean }): string;
  equals(other: unknown): boolean;
  toString(): string;
}

/** A code of an error or of a finding, and what it means. */
export interface CodeEntry {
  readonly code: string;
  /** Of an error. */
  readonly kind: Kind | undefined;
  /** Of a finding. */
  readonly severity: Severity | undefined;
  readonly meaning: string;
  readonly remedy: string;
  /** What was given, or answered, that leads to it. */
  readonly example: string;
}

/**
 * Every code there is.
 *
 * ```js
 * import { codes } from "chartoci";
 * const found = codes().find(({ code }) => code === "reference.tag");
 * assert.equal(found.meaning, "The tag is not valid.");
 * ```
 */
export function codes(): CodeEntry[];

// ── Names and versions ──

/**
 * A hash that names bytes: `sha256:…` or `sha512:…`.
 *
 * ```js
 * import { Digest } from "chartoci";
 * const digest = Digest.of("{}");
 * assert.equal(`${digest}`, "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
 * assert.equal(Digest.of("{}", "sha512").hex.length, 128);
 * ```
 */
export class Digest {
  private constructor();
  /** `sha256:` and 64 hexadecimal digits, or `sha512:` and 128. */
  static parse(text: string): Digest;
  static of(data: Text, algorithm?: "sha256" | "sha512"): Digest;
  readonly algorithm: "sha256" | "sha512";
  readonly hex: string;
  equals(other: unknown): boolean;
  toString(): string;
  toJSON(): string;
}

/**
 * Names something in a registry: a repository, and a tag or a digest or both.
 *
 * ```js
 * import { Reference } from "chartoci";
 * const reference = Reference.parse("oci://reg.example:5000/team/web:1.2.3+b1");
 * assert.deepEqual([reference.registry, reference.repository], ["reg.example:5000", "team/web"]);
 * assert.deepEqual([reference.tag, reference.version], ["1.2.3_b1", "1.2.3+b1"]);
 * ```
 */
export class Reference {
  private constructor();
  /** `[oci://]REGISTRY/REPOSITORY[:TAG][@DIGEST]`; `+` in a tag is read as `_`. */
  static parse(text: string): Reference;
  /** Host, and port if one was given. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
  /** The version that the tag stands for. */
  readonly version: string | undefined;
  equals(other: unknown): boolean;
  toString(): string;
  toJSON(): string;
}

/**
 * A semantic version, compared by precedence.
 *
 * ```js
 * import { Version } from "chartoci";
 * const version = Version.parse("v1.2-rc.1");
 * assert.deepEqual([version.major, version.minor, version.patch, version.prerelease], [1, 2, 0, "rc.1"]);
 * assert.deepEqual(["1.10.0", "1.9.0"].sort(Version.compare), ["1.9.0", "1.10.0"]);
 * ```
 */
export class Version {
  private constructor();
  /** As loosely as Helm reads Chart.yaml; `strict` as it reads tags. */
  static parse(text: string, options?: { strict?: boolean }): Version;
  /** By precedence, then build metadata: for `sort`. */
  static compare(a: Version | string, b: Version | string): -1 | 0 | 1;
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly prerelease: string;
  readonly build: string;
  /** `_` where the version has `+`. */
  readonly tag: string;
  toJSON(): string;
  compare(other: Version | string): -1 | 0 | 1;
  equals(other: Version | string): boolean;
  toString(): string;
}

/**
 * A range of versions.
 *
 * ```js
 * import { Constraint } from "chartoci";
 * const constraint = Constraint.parse("^1.2 || ~3.1");
 * assert(constraint.matches("1.9.0") && !constraint.matches("1.9.0-rc.1"));
 * assert.equal(constraint.pick(["1.9.0", "1.10.0", "2.0.0"]), "1.10.0");
 * ```
 */
export class Constraint {
  private constructor();
  /** `^1.2 || ~3`, with Masterminds' meaning. */
  static parse(text: string): Constraint;
  matches(version: Version | string): boolean;
  /** The best of those that match. */
  pick<V extends Version | string>(versions: Iterable<V>): V | undefined;
  equals(other: unknown): boolean;
  toString(): string;
  toJSON(): string;
}

// ── Charts ──

/** Who looks after a chart, as Chart.yaml says. */
export interface Maintainer {
  readonly name: string;
  readonly email: string;
  readonly url: string;
}

/** A chart that another needs, as Chart.yaml or Chart.lock names it. */
export interface Dependency {
  readonly name: string;
  readonly version: string;
  readonly repository: string;
  readonly condition: string;
  readonly tags: readonly string[];
  readonly enabled: boolean;
  readonly importValues: readonly unknown[];
  readonly alias: string;
}

/**
 * What Chart.yaml says.
 *
 * ```js
 * import { Metadata } from "chartoci";
 * const metadata = Metadata.parse("apiVersion: v2\nname: web\nversion: 1.0.0 # soon 1.1\n");
 * assert.equal(new TextDecoder().decode(metadata.config()), '{"name":"web","version":"1.0.0","apiVersion":"v2"}');
 * assert.equal(metadata.toYaml(), "apiVersion: v2\nname: web\nversion: 1.0.0\n");
 * ```
 */
export class Metadata {
  private constructor();
  static parse(chartYaml: Text, options?: Limited): Metadata;
  /** Stops at Chart.yaml: fast, and marked unverified. */
  static peek(source: Source, options?: Limited): Promise<Metadata>;
  readonly name: string;
  readonly version: string;
  readonly apiVersion: string;
  readonly appVersion: string;
  readonly description: string;
  readonly type: string;
  readonly kubeVersion: string;
  readonly home: string;
  readonly icon: string;
  readonly keywords: readonly string[];
  readonly sources: readonly string[];
  readonly maintainers: readonly Maintainer[];
  readonly dependencies: readonly Dependency[];
  /** Without a prototype. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly deprecated: boolean;
  readonly condition: string;
  readonly tags: string;
  /** Only `peek` makes this true. */
  readonly unverified?: true;
  /** The bytes of the OCI config blob, as Helm writes it. */
  config(): Uint8Array;
  /** As `helm show chart` prints it. */
  toYaml(): string;
  equals(other: unknown): boolean;
  toString(): string;
}

/** Files by path below the chart's root; each access copies one file. */
export type Files = ReadonlyMapLike & { readonly [path: string]: Uint8Array | undefined };

/** What files share with a Map. */
export interface ReadonlyMapLike extends Iterable<[path: string, data: Uint8Array]> {
  readonly size: number & (Uint8Array | undefined);
  get(path: string): Uint8Array | undefined;
  has(path: string): boolean;
  keys(): IterableIterator<string>;
  entries(): IterableIterator<[path: string, data: Uint8Array]>;
}

/** A value of values.yaml; whole numbers beyond ±(2^53-1) are BigInt, mappings have no prototype. */
export type Value = null | boolean | number | bigint | string | Value[] | { [key: string]: Value };

/**
 * A chart archive, read whole and found good.
 *
 * ```js
 * import { Archive } from "chartoci";
 * const archive = await Archive.read("web-1.0.0.tgz"); // a path, in Node; bytes and streams everywhere
 * assert.deepEqual([archive.metadata.name, archive.values.replicas], ["web", 2]);
 * assert(archive.files.has("templates/service.yaml"));
 * ```
 */
export class Archive {
  private constructor();
  static read(source: Source, options?: Limited): Promise<Archive>;
  readonly metadata: Metadata;
  readonly files: Files;
  /** As Helm reads them. */
  readonly values: { [key: string]: Value };
  readonly valuesYaml: Uint8Array | undefined;
  readonly schema: Uint8Array | undefined;
  readonly readme: Uint8Array | undefined;
  /** Paths. */
  readonly crds: string[];
  /** Paths. */
  readonly templates: string[];
  readonly lock: Lock | undefined;
  /** Charts vendored in `charts/`. */
  readonly dependencies: Archive[];
  /** Warnings that did not stop it. */
  readonly report: Report;
  /** Of the packed bytes. */
  readonly digest: string;
  /** Packed bytes. */
  readonly size: number;
  /** Unpacked bytes of all files. */
  readonly unpacked: number;
  /** `NAME-VERSION.tgz`. */
  readonly filename: string;
  /** The packed bytes; a vendored chart has none. */
  readonly data: Uint8Array | undefined;
  /** What lay beside the path that it was read from, as FILE.prov; a push takes it along. */
  readonly provenance: Uint8Array | undefined;
  /** Writes `directory/NAME`, whole or not at all, and gives its path. Node. */
  extract(directory: string | URL): Promise<string>;
  /** The same bytes, and the same chart in them. */
  equals(other: unknown): boolean;
  toString(): string;
  /** `files`: paths. */
  toJSON(): Pick<Archive, "metadata" | "digest" | "size" | "report"> & { files: string[] };
  /** Gives the memory back at once; the garbage collector does it by itself later. */
  free(): void;
}

/** Names a blob or a manifest by its digest. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/**
 * A manifest, and what it means.
 *
 * ```js
 * import { Archive, Artifact } from "chartoci";
 * const archive = await Archive.read("web-1.0.0.tgz");
 * const artifact = await Artifact.build(archive);
 * assert.equal(artifact.annotations["org.opencontainers.image.title"], "web");
 * assert.equal(artifact.chartLayer.digest, archive.digest);
 * assert.equal(Artifact.parse(artifact.manifest).digest, artifact.digest);
 * ```
 */
export class Artifact {
  private constructor();
  /** The manifest and config that `helm push` makes of a chart. */
  static build(
    chart: Archive | Packaged | Source,
    options?: Limited & { provenance?: Source; created?: Date | string | number },
  ): Promise<Artifact>;
  /** Throws only for what is no manifest at all; whatever else is wrong stands in `report`. */
  static parse(manifest: Text, options?: Limited): Artifact;
  readonly manifest: Uint8Array;
  readonly digest: string;
  /** Where it was built here. */
  readonly config: Uint8Array | undefined;
  readonly configDescriptor: Descriptor | undefined;
  readonly layers: readonly Descriptor[];
  readonly chartLayer: Descriptor | undefined;
  readonly provenanceLayer: Descriptor | undefined;
  readonly annotations: Readonly<Record<string, string>>;
  /** `alpha-chart`: of Helm 3.0 alpha 1 or 2, which nobody reads any more; `index`: a list of manifests. */
  readonly what: "chart" | "alpha-chart" | "image" | "index" | "signature" | "other";
  /** A chart of Helm 3.0 to 3.6: `copy` can upgrade it. */
  readonly isLegacy: boolean;
  readonly report: Report;
  /** A few lines for people. */
  explain(): string;
  equals(other: unknown): boolean;
  toString(): string;
  toJSON(): Pick<Artifact, "what" | "digest" | "layers" | "annotations" | "report"> & { config: Descriptor | undefined };
}

/**
 * Chart.lock.
 *
 * ```js
 * import { Lock } from "chartoci";
 * const lock = Lock.parse("dependencies:\n- {name: db, version: 2.0.1}\ndigest: sha256:0\n");
 * assert.equal(lock.dependencies[0].version, "2.0.1");
 * ```
 */
export class Lock {
  private constructor();
  static parse(chartLock: Text, options?: Limited): Lock;
  static digestFor(dependencies: Iterable<Partial<Dependency>>, locked: Iterable<Partial<Dependency>>): string;
  readonly dependencies: readonly Dependency[];
  readonly digest: string;
  readonly generated: string;
  equals(other: unknown): boolean;
  toString(): string;
}

/**
 * .helmignore.
 *
 * ```js
 * import { Ignore } from "chartoci";
 * const ignore = Ignore.parse("*.swp\nbuild/\n");
 * assert(ignore.matches("templates/web.yaml.swp") && ignore.matches("build", { isDir: true }));
 * assert(!ignore.matches("build"));
 * ```
 */
export class Ignore {
  private constructor();
  static parse(patterns: string): Ignore;
  matches(path: string, options?: { isDir?: boolean }): boolean;
}

/**
 * A chart that was packed.
 *
 * ```js
 * import * as chartoci from "chartoci";
 * const packaged = await chartoci.package({ "Chart.yaml": "apiVersion: v2\nname: db\nversion: 2.0.0\n" });
 * assert.equal(packaged.digest, `${chartoci.Digest.of(packaged.data)}`);
 * assert((await packaged.write(".")).endsWith("db-2.0.0.tgz"));
 * ```
 */
export class Packaged {
  private constructor();
  readonly filename: string;
  readonly data: Uint8Array;
  readonly digest: string;
  readonly metadata: Metadata;
  /** Writes the archive under its name and gives its path. Node. */
  write(directory: string | URL): Promise<string>;
  equals(other: unknown): boolean;
  toString(): string;
  toJSON(): Pick<Packaged, "filename" | "digest" | "metadata">;
}

/** What `show` prints of a chart. */
export type Section = "all" | "chart" | "values" | "readme" | "crds";

/**
 * The very text that `helm show` prints; in Node of a chart's directory, too.
 *
 * ```js
 * import { show } from "chartoci";
 * assert.equal(await show("web-1.0.0.tgz", "chart"), "apiVersion: v2\nname: web\nversion: 1.0.0\n\n");
 * ```
 */
export function show(source: Archive | Packaged | Source, section?: Section, options?: Limited): Promise<string>;

/** Files of a chart by their paths below its root: a text is a file's content. */
export type ChartFiles = Iterable<readonly [path: string, content: Text]> | { readonly [path: string]: Text };

/**
 * Packs a directory (Node), or files in memory: the same files always give the same bytes. Without `created` an entry has
 * its file's own time; what comes from memory has that of 1970.
 *
 * ```js
 * import { package as pack } from "chartoci";
 * const packaged = await pack("web", { version: "1.1.0" });
 * assert.equal(packaged.filename, "web-1.1.0.tgz");
 * ```
 */
declare function packageDirectory(
  source: string | URL | ChartFiles,
  options?: Limited & { version?: string; appVersion?: string; created?: Date | string | number },
): Promise<Packaged>;
export { packageDirectory as package };

/** What `check` knows. */
export type DocumentKind =
  | "chart"
  | "chart.yaml"
  | "chart.lock"
  | "requirements"
  | "values"
  | "schema"
  | "index"
  | "manifest"
  | "config"
  | "provenance";

/**
 * Everything that is wrong with a document, or (Node) with a chart's directory. The kind is guessed if it is not given. A
 * packed chart may be given with what belongs to it, and is compared with that; a path brings FILE.prov along.
 *
 * ```js
 * import { check } from "chartoci";
 * const report = await check(new TextEncoder().encode("name: web\nversion: 1.0.0\nappVersion: 1.10\n"));
 * const finding = report.errors.find(({ pointer }) => pointer === "/appVersion");
 * assert.deepEqual([finding.line, finding.fix.replacement], [3, '"1.10"']);
 * ```
 */
export function check(
  source: Source | Archive | Packaged,
  kind?: DocumentKind,
  options?: Limited & {
    /** What the report calls what has no name of its own. */
    filename?: string;
    /** From `chartoci/schema`: the defaults are judged by values.schema.json as well. */
    schema?: import("./schema.js").Schema;
    provenance?: Source;
    manifest?: Uint8Array | string;
    config?: Uint8Array | string;
    reference?: string | Reference;
  },
): Promise<Report>;

// ── Registries ──

/** User and password, an identity token that the token server exchanges, or a registry token, which a string is too. */
export type Credential =
  | { username: string; password: string }
  | { identityToken: string }
  | { token: string }
  | readonly [username: string, password: string]
  | string;

/** What credentials are wanted for. */
export interface CredentialQuery {
  readonly registry: string;
  readonly repository: string;
  readonly realm: string | undefined;
  readonly service: string | undefined;
  readonly scope: string | undefined;
  /** The last answer was refused. */
  readonly refused: boolean;
  /** It is the registry that the verb is for: of a copy, the target's. */
  readonly own: boolean;
}

/** A credential for whatever is asked; nobody's; or a function that is asked, again after a refusal, for each registry. */
export type Credentials =
  | Credential
  | null
  | ((query: CredentialQuery) => Credential | null | undefined | Promise<Credential | null | undefined>);

/** How often, and after which pauses, what failed is tried again. */
export interface RetryPolicy {
  /** Tries of one request, the first included. 5. */
  attempts?: number;
  /** First pause, in seconds. 0.2. */
  backoff?: number;
  /** Longest pause, in seconds. 10. */
  backoffMax?: number;
  /** Longest `Retry-After` that is waited for, in seconds. 60. */
  retryAfterMax?: number;
}

/** What holds for all verbs of a client. */
export interface ClientOptions extends Limited {
  /**
   * Absent: in Node the files of Helm, Docker and Podman and the helpers that they name, elsewhere anonymous. null:
   * anonymous. A string is a registry token.
   */
  credentials?: Credentials;
  /** The file with credentials, in place of Helm's. Node. */
  registryConfig?: string;
  /** Which hosts are spoken to by plain http: loopback names (save where TLS has an option here), all, none, or these. */
  plainHttp?: "loopback" | boolean | Iterable<string>;
  /** Certificates of authorities to trust, PEM. Node. */
  caFile?: string | URL;
  /** Client certificate, PEM. Node. */
  certFile?: string | URL;
  /** Its key, if it is not in the same file. Node. */
  keyFile?: string | URL;
  /** A proxy's URL; false: none, whatever the environment says. Node. */
  proxy?: string | false;
  /** Silence allowed to one attempt, in seconds. 30; null: without end. */
  idleTimeout?: number | null;
  /** Time allowed to a whole verb, in seconds. */
  timeout?: number;
  /** Requests that may be out at once. 3. */
  concurrency?: number;
  retry?: RetryPolicy;
  /** Hosts that may be connected to (`host` or `host:port`), or who is asked before every connection. */
  allow?: Iterable<string> | ((host: string, ip: string | undefined, port: number) => boolean | Promise<boolean>);
  userAgent?: string;
  /** Used in place of the platform's own transport. */
  fetch?: typeof fetch;
}

/** What `onProgress` is told. */
export type Event =
  /** `item`: in a copy the blob's digest. */
  | { kind: "progress"; item: string; transferred: number; total: number | undefined }
  | { kind: "exists"; descriptor: Descriptor }
  | { kind: "uploaded"; descriptor: Descriptor }
  | { kind: "downloaded"; blob: number; descriptor: Descriptor }
  /** It is tried again after so many seconds. */
  | { kind: "retrying"; after: number; why: string }
  | { kind: "notice"; code: string; text: string };

/** What every verb takes. */
export interface CallOptions {
  /** Aborting shuts the sockets down. */
  signal?: AbortSignal;
  /** Time allowed to this verb, in seconds. */
  timeout?: number;
  /** Told what happens. What it throws ends the verb. */
  onProgress?: (event: Event) => void;
}

/** Which version is wanted, where the reference does not say. */
export interface VersionOptions {
  /** A version or a range, as Helm's `--version`. */
  version?: string | Version | Constraint;
  /** Pre-releases too, as Helm's `--devel`. */
  devel?: boolean;
}

/** How a chart is pushed. */
export interface PushOptions extends CallOptions {
  provenance?: Source;
  /** Becomes the annotation of that name; a path's own is the time of its last change. */
  created?: Date | string | number;
  ifExists?: "overwrite" | "skip-same" | "refuse";
}

/** How a chart is pulled. */
export interface PullOptions extends CallOptions, VersionOptions {
  /** Fetch the provenance, where there is one. */
  provenance?: boolean;
  /** A keyring: refused before anything is asked for, as signatures cannot be verified yet. */
  verify?: string | URL | Uint8Array;
  /** With tag and digest given: ask that the tag has this digest. */
  checkTag?: boolean;
}

/** Pulls into a directory, which is made if it is missing. Node. */
export interface PullToOptions extends PullOptions {
  directory: string | URL;
  /** Write `directory/NAME` in place of the archive. */
  untar?: boolean;
}

/** What was pushed. */
export interface Pushed {
  readonly reference: string;
  readonly tag: string;
  readonly digest: string;
  /** Of manifest and blobs. */
  readonly size: number;
  readonly blobs: readonly { readonly descriptor: Descriptor; readonly state: "uploaded" | "mounted" | "existed" }[];
  /** Nothing was written: the tag had this very chart. */
  readonly skipped: boolean;
}

/** How a chart is copied. */
export interface CopyOptions extends CallOptions {
  /** Signatures and other things that refer to it as well. */
  referrers?: boolean;
  /** A chart of Helm 3.0 to 3.6 is pushed as today's Helm would, and so has another digest. */
  upgrade?: boolean;
}

/** What was copied. */
export interface Copied {
  readonly reference: string;
  readonly digest: string;
  /** Of manifests and blobs. */
  readonly size: number;
  readonly blobs: Pushed["blobs"];
  /** Digests of what refers to it and was copied, too. */
  readonly referrers: readonly string[];
  /** Its manifest is another than the source's. */
  readonly upgraded: boolean;
}

/** What was deleted. */
export interface Deleted {
  readonly reference: string;
  /** The manifest's, if that was deleted and not its tag alone. */
  readonly digest: string | undefined;
}

/** What refers to a manifest. */
export interface Referrer extends Descriptor {
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Which tag and digest a reference or a range means. */
export interface Resolved {
  readonly reference: string;
  readonly version: string | undefined;
  readonly tag: string | undefined;
  readonly digest: string;
}

/** What lies at a reference. */
export interface Inspected {
  readonly reference: string;
  readonly artifact: Artifact;
  /** What a chart's config claims. */
  readonly metadata: Metadata | undefined;
}

/** What was pulled. */
export interface Pulled {
  readonly reference: string;
  readonly version: string | undefined;
  readonly digest: string;
  /** What the config blob claims otherwise than Chart.yaml: `artifact.config`. */
  readonly notices: readonly { readonly code: string; readonly text: string }[];
}

/** What was pulled into memory. */
export interface PulledBytes extends Pulled {
  readonly archive: Uint8Array;
  readonly provenance: Uint8Array | undefined;
}

/** What was pulled into a directory: where it lies. */
export interface PulledFile extends Pulled {
  readonly path: string;
  readonly provenancePath?: string;
}

/** A registry took a credential, and it is stored: in the file `path`, or by the helper that this file names. */
export interface LoggedIn {
  /** What it stands under there. */
  readonly registry: string;
  readonly path: string;
  readonly helper: string | undefined;
  /** False: the registry asks nobody who is calling. */
  readonly checked: boolean;
}

/** A registry's credential was removed from where it was kept. */
export interface LoggedOut {
  readonly registry: string;
  readonly path: string;
  readonly helper: string | undefined;
  /** False: there was nothing to remove. */
  readonly removed: boolean;
}

/** Where a credential comes from, without it. */
export interface ExplainedCredentials {
  readonly registry: string;
  readonly repository: string;
  /** Given to the client, a callable, or a store: the last one of `asked`. */
  readonly source: "given" | "callable" | "store" | undefined;
  readonly kind: "basic" | "identity" | "bearer" | undefined;
  readonly username: string | undefined;
  readonly asked: readonly AskedStore[];
}

/** A file (or variable) that was asked for a credential. */
export interface AskedStore {
  readonly store: string;
  /** The helper that it names. */
  readonly helper: string | undefined;
  /** The key under which it has a credential. */
  readonly entry: string | undefined;
  readonly exists: boolean;
}

/**
 * Talks to registries. Connections and tokens are kept between calls.
 *
 * ```js
 * import { Client } from "chartoci";
 * import { Registry } from "chartoci/testing";
 * const registry = new Registry();
 * const client = new Client({ fetch: registry.fetch });
 * const pushed = await client.push("web-1.0.0.tgz", "oci://registry.test/charts");
 * const archive = await client.open("oci://registry.test/charts/web", { version: "^1" });
 * assert.deepEqual([pushed.tag, archive.metadata.name], ["1.0.0", "web"]);
 *
 * const web = "oci://registry.test/charts/web";
 * assert.deepEqual(await client.tags(web), ["1.0.0"]);
 * assert.deepEqual((await client.versions(web, ">=1")).map(String), ["1.0.0"]);
 * assert.equal((await client.resolve(web, { version: "^1" })).digest, pushed.digest);
 * assert.equal((await client.pull(pushed.reference)).archive.length, archive.size);
 * const { path } = await client.pull(pushed.reference, { directory: "pulled" }); // in Node
 * assert.match(path, /web-1\.0\.0\.tgz$/);
 * assert.equal((await client.metadata(pushed.reference)).version, "1.0.0");
 * assert.equal((await client.artifact(pushed.reference)).what, "chart");
 * assert.equal((await client.inspect(pushed.reference)).metadata.name, "web");
 * assert.ok((await client.check(pushed.reference)).ok);
 * assert.deepEqual(await client.referrers(pushed.reference), []);
 * const copied = await client.copy(pushed.reference, "oci://registry.test/mirror/web:1.0.0");
 * assert.equal(copied.digest, pushed.digest);
 * await client.delete(copied.reference);
 * assert.equal((await client.explainCredentials(web)).registry, "registry.test");
 * client.close();
 * ```
 */
export class Client {
  constructor(options?: ClientOptions);
  /**
   * Pushes to `TARGET/NAME:VERSION`. A path brings FILE.prov and its time along, as with Helm. A Blob of more than 32 MiB is
   * read piece by piece; of a file that is changed meanwhile no tag is made.
   */
  push(chart: Archive | Packaged | Source, target: string | Reference | URL, options?: PushOptions): Promise<Pushed>;
  /** Fetches a chart, verified while it arrives: into a directory, under Helm's name for it, or into memory. */
  pull(reference: string | Reference, options: PullToOptions): Promise<PulledFile>;
  pull(reference: string | Reference, options?: PullOptions): Promise<PulledBytes>;
  /** In memory, verified and read. */
  open(reference: string | Reference, options?: CallOptions & VersionOptions): Promise<Archive>;
  /** What the config blob claims: decisions belong on `open`. */
  metadata(reference: string | Reference, options?: CallOptions & VersionOptions): Promise<Metadata>;
  /** Everything that is wrong with a chart there: with each of its parts, and whether they belong together. */
  check(reference: string | Reference, options?: CallOptions & VersionOptions): Promise<Report>;
  /** Manifest and config in one go: what lies there, whatever it is, and what a chart's config claims. */
  inspect(reference: string | Reference, options?: CallOptions & VersionOptions): Promise<Inspected>;
  /** The manifest, verified and explained. */
  artifact(reference: string | Reference, options?: CallOptions & VersionOptions): Promise<Artifact>;
  /** Which tag and digest a reference, or a range of versions, means now. */
  resolve(reference: string | Reference, options?: CallOptions & VersionOptions): Promise<Resolved>;
  /** Newest first. */
  versions(
    repository: string | Reference,
    constraint?: string | Constraint,
    options?: CallOptions & { prerelease?: boolean },
  ): Promise<Version[]>;
  /** As the registry gives them, all pages. */
  tags(repository: string | Reference, options?: CallOptions): Promise<string[]>;
  /**
   * Copies what lies at a full reference to another: its bytes unchanged, its manifest last. Within a registry blobs are
   * mounted; across registries they go through memory, in Node piece by piece.
   */
  copy(source: string | Reference, target: string | Reference, options?: CopyOptions): Promise<Copied>;
  /** A tag; or a manifest by its digest, and with it all of its tags. */
  delete(reference: string | Reference, options?: CallOptions): Promise<Deleted>;
  /** Signatures, attestations, bills of materials: all, or those of one type. */
  referrers(reference: string | Reference, options?: CallOptions & { artifactType?: string }): Promise<Referrer[]>;
  /**
   * Shows user and password to a registry and, if it takes them, stores them where Helm does. A scheme or a path in the
   * registry's name is taken off. Without a user name the password is an identity token. Node.
   */
  login(registry: string, username: string, password: string, options?: CallOptions): Promise<LoggedIn>;
  /** Removes a registry's credential from where Helm keeps it. Node. */
  logout(registry: string): Promise<LoggedOut>;
  /** Where the credential for a reference comes from: who is asked, and who answers. Never the secret. */
  explainCredentials(reference: string | Reference): Promise<ExplainedCredentials>;
  /** Closes connections that stand; the client can still be used. */
  close(): void;
}
