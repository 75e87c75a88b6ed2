/** The pure classes: what they know comes from the core, field by field. */

import { bytesOf, enough, filesOf, isLarge, isPath, pieceOf, textBytes } from "./blobs.js";
import { HANDLE, checking, core, failure, packing, ready } from "./core.js";
import { Data } from "./data.js";
import { ChartOciError } from "./errors.js";
import { Written, describe, known, list, mapped, texts, written } from "./given.js";
import { Report } from "./report.js";

const LIMITED = ["limits"];
/** What may belong to a packed chart. */
const PARTS = ["provenance", "manifest", "config", "reference"];

const text = (bytes) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

/** Seconds since 1970 of a Date, an RFC 3339 text, or whole seconds since then. */
export function seconds(time) {
  if (time === undefined || time === null) return undefined;
  if (Number.isSafeInteger(time)) return time;
  const since = time instanceof Date ? time.getTime() / 1000 : core().parseTime(time);
  if (Number.isNaN(since)) throw failure("misuse.argument", "created: an invalid Date is no time");
  return since;
}

export class Digest extends Written {
  constructor(text) {
    super(text);
    Object.freeze(this);
  }

  static parse(text) {
    core().checkDigest(text);
    return new Digest(text);
  }

  static of(data, algorithm = "sha256") {
    return new Digest(core().digestOf(textBytes(data), algorithm));
  }

  get algorithm() {
    return String(this).split(":")[0];
  }

  get hex() {
    return String(this).split(":")[1];
  }
}

export class Reference extends Written {
  constructor({ text, ...fields }) {
    super(text);
    Object.freeze(Object.assign(this, fields));
  }

  static parse(text) {
    return new Reference(core().parseReference(text));
  }
}

export class Version extends Written {
  constructor({ text, ...fields }) {
    super(text);
    Object.freeze(Object.assign(this, fields));
  }

  static parse(text, options) {
    const { strict = false } = mapped(options, ["strict"]);
    return new Version(core().parseVersion(text, strict));
  }

  /** Negative, 0 or positive: by precedence, then build metadata. For `sort`, too. */
  static compare(a, b) {
    return core().compareVersions(written(a), written(b));
  }

  compare(other) {
    return Version.compare(this, other);
  }

  equals(other) {
    return Version.compare(this, other) === 0;
  }
}

export class Constraint extends Written {
  constructor(text) {
    super(text);
    Object.freeze(this);
  }

  static parse(text) {
    core().checkConstraint(text);
    return new Constraint(text);
  }

  matches(version) {
    return core().constraintMatches(String(this), written(version));
  }

  /** The best of those that match, as it was given. */
  pick(versions) {
    const given = list(versions, "versions");
    const place = core().constraintPick(String(this), texts(given, "versions"));
    return place === undefined ? undefined : given[place];
  }
}

export class Metadata extends Data {
  #handle;

  constructor(handle) {
    super();
    this.#handle = handle;
    Object.assign(this, handle.fields());
  }

  static parse(chartYaml, options) {
    const { limits } = mapped(options, LIMITED);
    return new Metadata(core().Metadata.parse(textBytes(chartYaml), limits));
  }

  /** Stops at Chart.yaml: fast, and marked unverified. */
  static async peek(source, options) {
    const { limits } = mapped(options, LIMITED);
    const { Metadata: Handle } = await ready();
    const metadata = new Metadata(Handle.peek(await bytesOf(source, limits), limits));
    return Object.assign(metadata, { unverified: true });
  }

  config() {
    return this.#handle.config();
  }

  toYaml() {
    return this.#handle.toYaml();
  }

  toString() {
    return `<Metadata ${this.name} ${this.version}>`;
  }
}

/** Files of a chart by path: `files["values.yaml"]` or `files.get(path)` copies one file. */
class Files {
  #handle;
  #paths;

  constructor(handle) {
    this.#handle = handle;
    this.#paths = new Set(handle.paths());
    return new Proxy(this, {
      get: (files, name) => (typeof name === "string" && !(name in Files.prototype) ? files.get(name) : bound(files, name)),
      has: (files, name) => files.#paths.has(name) || name in Files.prototype,
      ownKeys: (files) => [...files.#paths],
      getOwnPropertyDescriptor: (files, name) =>
        files.#paths.has(name)
          ? { get: () => files.get(name), enumerable: true, configurable: true }
          : undefined,
      set: () => false,
      defineProperty: () => false,
      deleteProperty: () => false,
    });
  }

  get size() {
    return this.#paths.size;
  }

  get(path) {
    return this.#handle.file(path);
  }

  has(path) {
    return this.#paths.has(path);
  }

  keys() {
    return this.#paths.keys();
  }

  *entries() {
    for (const path of this.#paths) yield [path, this.get(path)];
  }

  [Symbol.iterator]() {
    return this.entries();
  }
}
// No name that a chart's file may have means anything else here, save those of the methods above.
Object.setPrototypeOf(Files.prototype, null);
delete Files.prototype.constructor;

const bound = (files, name) => {
  const value = Reflect.get(Files.prototype, name, files);
  return typeof value === "function" ? value.bind(files) : value;
};

/** In place of the module's object when that is gone. */
const FREED = new Proxy(Object.freeze({}), {
  get() {
    throw failure("misuse.argument", "the archive was freed: nothing of it is there any more");
  },
});

export class Archive extends Data {
  #handle;
  #data;
  #metadata;
  #files;
  #values;
  #dependencies;
  #provenance;

  #place;

  /** `place`: the way to a vendored chart from the one that was read. */
  constructor(handle, data, provenance, place = "") {
    super();
    this.#handle = handle;
    this.#data = data;
    this.#provenance = provenance;
    this.#place = place;
  }

  /** A path brings FILE.prov along. */
  static async read(source, options) {
    const { limits } = mapped(options, LIMITED);
    await ready();
    const data = await bytesOf(source, limits);
    const beside = isPath(source) ? await filesOf(source).companions(source, enough(limits, true)) : {};
    return archiveOf(data, { limits }, beside.provenance);
  }

  get [HANDLE]() {
    return this.#handle;
  }

  get metadata() {
    return (this.#metadata ??= new Metadata(this.#handle.metadata()));
  }

  get files() {
    return (this.#files ??= new Files(this.#handle));
  }

  /** As Helm reads them. */
  get values() {
    return (this.#values ??= this.#handle.values());
  }

  get valuesYaml() {
    return this.#handle.valuesYaml();
  }

  get schema() {
    return this.#handle.schema();
  }

  get readme() {
    return this.#handle.readme();
  }

  get crds() {
    return this.#handle.crds();
  }

  get templates() {
    return this.#handle.templates();
  }

  get lock() {
    const fields = this.#handle.lock();
    return fields && new Lock(fields);
  }

  get dependencies() {
    return (this.#dependencies ??= this.#vendored());
  }

  #vendored() {
    const handles = this.#handle.dependencies();
    return handles.map((handle, at) => new Archive(handle, undefined, undefined, `${this.#place}/${at}`));
  }

  get report() {
    return new Report(this.#handle.report());
  }

  /** As Helm names the file: `NAME-VERSION.tgz`. */
  get filename() {
    return this.#handle.filename();
  }

  get digest() {
    return this.#handle.digest();
  }

  get size() {
    return this.#handle.size();
  }

  /** Unpacked bytes of all files. */
  get unpacked() {
    return this.#handle.unpacked();
  }

  /** The packed bytes; a vendored chart has none. */
  get data() {
    return this.#data;
  }

  /** What lay beside the path that it was read from, as FILE.prov. */
  get provenance() {
    return this.#provenance;
  }

  /** As `helm pull --untar`, atomically. Node. */
  async extract(directory) {
    const nonce = crypto.getRandomValues(new Uint32Array(1))[0];
    return filesOf(directory).extract((path) => new (core().Extract)(this.#handle, nonce, path), directory);
  }

  /** The same bytes, and the same chart in them. */
  equals(other) {
    return other instanceof Archive && other.digest === this.digest && other.#place === this.#place;
  }

  toJSON() {
    const { metadata, digest, size, files, report } = this;
    return { metadata, digest, size, files: [...files.keys()], report };
  }

  toString() {
    return `<Archive ${this.metadata.name} ${this.metadata.version}>`;
  }

  /** Gives the memory back at once; the garbage collector does it later by itself. */
  free() {
    if (this.#handle !== FREED) this.#handle.free();
    this.#handle = FREED;
  }
}
if (Symbol.dispose) Archive.prototype[Symbol.dispose] = Archive.prototype.free;

/** Packed bytes of which the hash is worth asking the platform for: it has instructions that modules have not. */
const LARGE = 1 << 18;

/** Of bytes that nobody else holds. */
export async function archiveOf(data, { limits } = {}, provenance = undefined) {
  const hashing = data.length < LARGE ? undefined : digestByPlatform(data);
  const handle = core().Archive.read(data, limits, hashing !== undefined);
  if (hashing !== undefined) handle.setDigest(await hashing);
  return new Archive(handle, data, provenance);
}

/** Not every page may ask for it, nor a worker at any time. */
async function digestByPlatform(data) {
  try {
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
    return `sha256:${Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  } catch {
    return core().digestOf(data, "sha256");
  }
}

export class Artifact extends Data {
  #handle;

  constructor(handle) {
    super();
    this.#handle = handle;
    const { report, ...fields } = handle.fields();
    Object.assign(this, fields, { report: new Report(report) });
  }

  static async build(chart, options) {
    const { provenance, created, limits } = mapped(options, ["provenance", "created", ...LIMITED]);
    const { Artifact: Handle } = await ready();
    const signature = provenance === undefined ? undefined : await bytesOf(provenance, limits, true);
    const time = seconds(created);
    if (chart instanceof Archive) return new Artifact(Handle.build(chart[HANDLE], signature, time, limits));
    if (isLarge(chart)) return new Artifact(await scanned(chart, signature, time, limits));
    const data = await bytesOf(chart instanceof Packaged ? chart.data : chart, limits);
    return new Artifact(Handle.buildFrom(data, signature, time, limits));
  }

  /** Throws only for what is no manifest at all; whatever else is wrong stands in `report`. */
  static parse(manifest, options) {
    const { limits } = mapped(options, LIMITED);
    return new Artifact(core().Artifact.parse(textBytes(manifest), limits));
  }

  get [HANDLE]() {
    return this.#handle;
  }

  explain() {
    return this.#handle.explain();
  }

  /** The same manifest, to the byte. */
  equals(other) {
    return other instanceof Artifact && other.digest === this.digest;
  }

  toString() {
    return `<Artifact ${this.what} ${this.digest}>`;
  }

  toJSON() {
    const { what, digest, configDescriptor: config, layers, annotations, report } = this;
    return { what, digest, config, layers, annotations, report };
  }
}

/** What an exchange pushes, as data: the modules share no objects. */
export class Push {
  constructor(fields) {
    Object.freeze(Object.assign(this, fields));
  }

  /** To `TARGET/NAME:VERSION`. */
  static chart(artifact, target) {
    return new Push(handleOf(artifact).push(written(target)));
  }

  /** To that very reference, whatever the chart is called. */
  static to(artifact, target) {
    return new Push(handleOf(artifact).pushTo(written(target)));
  }
}

function handleOf(artifact) {
  if (artifact instanceof Artifact) return artifact[HANDLE];
  throw failure("misuse.argument", `artifact: ${describe(artifact)} is no Artifact`);
}

export class Lock extends Data {
  constructor(fields) {
    super();
    Object.assign(this, fields);
  }

  static parse(chartLock, options) {
    const { limits } = mapped(options, LIMITED);
    return new Lock(core().parseLock(textBytes(chartLock), limits));
  }

  static digestFor(dependencies, locked) {
    return core().lockDigest(list(dependencies, "dependencies"), list(locked, "locked"));
  }

  toString() {
    return `<Lock ${this.digest}>`;
  }
}

export class Ignore {
  #handle;

  constructor(handle) {
    this.#handle = handle;
  }

  static parse(patterns) {
    return new Ignore(core().Ignore.parse(patterns));
  }

  matches(path, options) {
    const { isDir = false } = known(options, ["isDir"]);
    return this.#handle.matches(path, isDir);
  }
}

/** A chart that `package` packed. */
export class Packaged extends Data {
  constructor({ config, ...fields }, limits) {
    super();
    Object.assign(this, fields, { metadata: new Metadata(core().Metadata.fromConfig(config, limits)) });
  }

  /** Writes the archive under its name; gives the path. */
  async write(directory) {
    return filesOf(directory).save(directory, this.filename, this.data);
  }

  toJSON() {
    const { filename, digest, metadata } = this;
    return { filename, digest, metadata };
  }

  toString() {
    return `<Packaged ${this.filename}>`;
  }
}

/** The very text that `helm show` prints. */
export async function show(source, section = "all", options = undefined) {
  const { limits } = known(options, LIMITED);
  const { Directory } = await ready();
  let archive = source;
  if (isPath(source) && (await filesOf(source).isDirectory(source))) {
    archive = new Archive(await filesOf(source).run(new Directory(limits, String(source)), source));
  } else if (!(source instanceof Archive)) {
    archive = await Archive.read(source instanceof Packaged ? source.data : source, { limits });
  }
  return text(archive[HANDLE].show(section));
}

/** Packs a directory (Node) or files by their paths below it, deterministically. */
export async function packageDirectory(source, given) {
  const { version, appVersion, created, limits } = mapped(given, ["version", "appVersion", "created", ...LIMITED]);
  const { Package, packageFiles } = await packing();
  const options = { version: written(version), appVersion, created: seconds(created) };
  if (!isPath(source)) return new Packaged(packageFiles(pairsOf(source), options, limits), limits);
  const files = filesOf(source);
  await files.directory(source);
  return new Packaged(await files.run(new Package({ ...options, path: String(source) }, limits), source), limits);
}

/** Files as the core takes them: pairs of a path and bytes. */
function pairsOf(files) {
  if (files === null || typeof files !== "object" || ArrayBuffer.isView(files)) {
    throw failure("misuse.argument", "what is to be packed is neither a directory nor files by their paths");
  }
  const pairs = typeof files[Symbol.iterator] === "function" ? [...files] : Object.entries(files);
  return pairs.map((pair) => {
    if (!Array.isArray(pair)) throw failure("misuse.argument", "what should be a pair of a path and bytes is none");
    return [pair[0], textBytes(pair[1])];
  });
}

/** The bytes of a chart that was packed by itself. */
export function packedBytes(chart) {
  if (chart.data) return chart.data;
  throw failure("misuse.argument", "a chart within another has no archive of its own");
}

/**
 * Everything that is wrong with a document, or with a chart's directory. The kind is guessed if it is not given. A packed
 * chart may be given with what belongs to it; a path brings FILE.prov along.
 */
export async function check(source, kind, options) {
  const { filename, limits, schema, ...parts } = known(options, ["filename", "schema", ...PARTS, ...LIMITED]);
  const { CheckDirectory, check: find, checkParts } = await checking();
  let handle;
  if (isPath(source) && (await filesOf(source).isDirectory(source))) {
    handle = await filesOf(source).run(new CheckDirectory(filename ?? String(source), limits), source);
  } else {
    const name = filename ?? (isPath(source) ? String(source) : source?.name);
    const isChart = source instanceof Archive || source instanceof Packaged;
    const data = isChart ? packedBytes(source) : await bytesOf(source, limits);
    if (source instanceof Archive) parts.provenance ??= source.provenance;
    const belonging = kind === undefined || kind === "chart" ? await partsOf(source, parts, limits) : {};
    handle = Object.values(belonging).every((part) => part === undefined)
      ? find(data, kind, name, limits)
      : checkParts({ ...belonging, chart: data, filename: name }, limits);
  }
  const questions = schema ? handle.questions() : [];
  for (const [at, question] of questions.entries()) {
    const judged = schema.validate(question.schema, question.values, { limits });
    handle.answer(at, await judged.catch((error) => (error instanceof ChartOciError ? error.toJSON() : Promise.reject(error))));
  }
  return new Report(handle);
}

/** What an archive becomes in a registry, which is too large to be held. */
async function scanned(blob, provenance, created, limits) {
  const scan = new (core().ScanFile)(blob.size, limits);
  try {
    for (let [start, end] = scan.wanted(); end; [start, end] = scan.wanted()) scan.give(await pieceOf(blob, start, end));
    return scan.build(provenance, created);
  } finally {
    scan.free();
  }
}

/** What belongs to a packed chart, as the core takes it. */
async function partsOf(source, { provenance, manifest, config, reference }, limits) {
  const isFile = isPath(source) && String(source).endsWith(".tgz");
  const beside = isFile ? (await filesOf(source).companions(source, enough(limits, true))).provenance : undefined;
  const bytes = (text) => (text === undefined ? undefined : textBytes(text));
  return {
    provenance: provenance === undefined ? beside : await bytesOf(provenance, limits, true),
    manifest: bytes(manifest),
    config: bytes(config),
    reference: written(reference),
  };
}

export const codes = () => core().codes();
