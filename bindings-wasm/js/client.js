/** The client: each verb builds an exchange and drives it. */

import { bytesOf, enough, filesOf, isLarge, isPath, join } from "./blobs.js";
import { checking, connected, core, currentPlatform, exchange, failure, ready } from "./core.js";
import { Thrown, drive } from "./drive.js";
import { ChartOciError } from "./errors.js";
import { known, texts, written } from "./given.js";
import { Archive, Artifact, Constraint, Metadata, Packaged, Push, Version, archiveOf, packedBytes } from "./model.js";
import { Report } from "./report.js";

const PARTS = ["chart", "provenance"];

const now = () => performance.now();

// What each verb takes beside its arguments.
const CALL = ["signal", "onProgress", "timeout"];
const WHICH = [...CALL, "version", "devel"];
const PULL = [...WHICH, "provenance", "verify", "checkTag", "directory", "untar"];
const OPTIONS = [
  ...["credentials", "registryConfig", "plainHttp", "caFile", "certFile", "keyFile", "proxy", "idleTimeout", "timeout"],
  ...["concurrency", "retry", "limits", "allow", "userAgent", "fetch"],
];
const RETRY = ["attempts", "backoff", "backoffMax", "retryAfterMax"];

export class Client {
  #options;
  #session;
  #transport;

  constructor(options) {
    this.#options = known(options, OPTIONS);
    known(this.#options.retry, RETRY, "retry");
  }

  get #limited() {
    return { limits: this.#options.limits };
  }

  async push(chart, target, options) {
    const names = [...CALL, "provenance", "created", "ifExists"];
    const { provenance, created, ifExists, ...call } = known(options, names);
    await connected();
    const { limits } = this.#options;
    const source = await chartOf(chart, limits);
    const signature = provenance === undefined ? source.provenance : await bytesOf(provenance, limits, true);
    const parts = { provenance: signature, created: created ?? source.created, limits };
    const artifact = await Artifact.build(source.archive ?? source.data, parts);
    const plan = Push.chart(artifact, target);
    const push = exchange().Exchange.push(this.#begin(), plan, { ifExists });
    // Blob 0 is the config, which the core holds.
    const blobs = [undefined, source.data, signature];
    return this.#run(push, call, { blobs, names: ["config", ...PARTS] });
  }

  async pull(reference, given) {
    const { directory, untar = false, verify, ...others } = known(given, PULL);
    const options = { ...others, verify: verify !== undefined && verify !== null, began: now() };
    await connected();
    if (directory !== undefined || untar) return this.#pullTo(directory ?? ".", reference, untar, options);
    const sinks = [new MemorySink(), new MemorySink()];
    const { provenance, ...pulled } = await this.#pull(reference, sinks, { ...options, chart: true });
    const parts = { archive: sinks[0].bytes(), provenance: provenance && sinks[1].bytes() };
    const notices = await this.#doubts(pulled, parts.archive, options);
    return { ...parts, reference: pulled.reference, version: pulled.version, digest: pulled.digest, notices };
  }

  /** What the config blob claims otherwise than Chart.yaml; it is asked for only where Helm would have made another. */
  async #doubts({ reference, manifest }, chart, { signal, onProgress, timeout, began }) {
    const doubt = core().Doubt.of(manifest, chart, this.#options.limits);
    if (!doubt) return [];
    let found;
    const sink = new MemorySink();
    try {
      const { registry, repository } = core().parseReference(reference);
      const asking = exchange().Exchange.config(this.#begin(), `${registry}/${repository}`, doubt.config());
      await this.#run(asking, { signal, onProgress, timeout, began }, { sinks: [sink], names: ["config"] });
      found = doubt.settle(sink.bytes());
    } catch (error) {
      if (!(error instanceof ChartOciError) || signal?.aborted) throw error;
      found = doubt.settleError(error.code, error.message);
    } finally {
      doubt.free();
    }
    if (!found) return [];
    onProgress?.({ kind: "notice", ...found });
    return [found];
  }

  async #pullTo(directory, reference, untar, options) {
    const sinks = PARTS.map(() => filesOf(directory).beside(directory));
    try {
      const pulled = await this.#pull(reference, sinks, { ...options, chart: true });
      const front = core().Metadata.front();
      const notices = await this.#doubts(pulled, await filesOf(directory).read(sinks[0].path, front), options);
      const result = { reference: pulled.reference, version: pulled.version, digest: pulled.digest, notices };
      if (untar) return { path: await this.#untar(sinks[0].path, directory), ...result };
      const name = pulled.filename ?? (await this.#filename(sinks[0].path));
      result.path = await sinks[0].commit(name);
      if (pulled.provenance) result.provenancePath = await sinks[1].commit(`${name}.prov`);
      return result;
    } finally {
      for (const sink of sinks) await sink.discard();
    }
  }

  async #untar(path, directory) {
    const archive = await Archive.read(path, this.#limited);
    return archive.extract(directory).finally(() => archive.free());
  }

  async #filename(path) {
    const archive = await Archive.read(path, this.#limited);
    const { filename } = archive;
    archive.free();
    return filename;
  }

  async open(reference, options) {
    known(options, WHICH);
    await connected();
    const sink = new MemorySink();
    await this.#pull(reference, [sink], { ...options, chart: true });
    return archiveOf(sink.bytes(), this.#limited);
  }

  /** What the config blob claims. */
  async metadata(reference, options) {
    known(options, WHICH);
    await connected();
    const { config } = await this.#pull(reference, [], { ...options, config: true });
    return new Metadata(core().Metadata.fromConfig(config, this.#options.limits));
  }

  /** Everything that is wrong with a chart there: with each of its parts, and whether they belong together. */
  async check(reference, options) {
    known(options, WHICH);
    const [{ checkParts }] = await Promise.all([checking(), connected()]);
    const sinks = PARTS.map(() => new MemorySink());
    const wanted = { chart: true, provenance: true, config: true, anything: true };
    const { chart, provenance, manifest, config, ...found } = await this.#pull(reference, sinks, { ...options, ...wanted });
    const [packed, signed] = [chart && sinks[0].bytes(), provenance && sinks[1].bytes()];
    const parts = { manifest, config, chart: packed, provenance: signed, reference: String(found.reference) };
    return new Report(checkParts(parts, this.#options.limits));
  }

  async artifact(reference, options) {
    known(options, WHICH);
    await connected();
    const { manifest } = await this.#pull(reference, [], { ...options });
    return Artifact.parse(manifest, this.#limited);
  }

  /** Manifest and config: what lies there, and what a chart's config claims. */
  async inspect(reference, options) {
    known(options, WHICH);
    await connected();
    const { limits } = this.#options;
    const wanted = { ...options, config: true, anything: true };
    const { manifest, config, reference: found } = await this.#pull(reference, [], wanted);
    const artifact = Artifact.parse(manifest, { limits });
    const isChart = artifact.what === "chart" && config !== undefined;
    const metadata = isChart ? new Metadata(core().Metadata.fromConfig(config, limits)) : undefined;
    return { reference: found, artifact, metadata };
  }

  async resolve(reference, options) {
    const { version, devel, ...call } = known(options, WHICH);
    await connected();
    const wanted = { version: written(version), devel };
    const resolving = exchange().Exchange.resolve(this.#begin(), written(reference), wanted);
    return this.#run(resolving, call);
  }

  async versions(repository, constraint, options) {
    const { prerelease = false, ...call } = known(options, [...CALL, "prerelease"]);
    await ready();
    if (constraint !== undefined && constraint !== null) Constraint.parse(written(constraint));
    const tags = await this.tags(repository, call);
    return core().versionsOfTags(tags, written(constraint), prerelease).map((text) => Version.parse(text));
  }

  async tags(repository, options) {
    const call = known(options, CALL);
    await connected();
    return this.#run(exchange().Exchange.tags(this.#begin(), written(repository)), call);
  }

  /** Bytes unchanged, the manifest last. Within a registry blobs are mounted; across registries they go through memory, in Node piece by piece. */
  async copy(source, target, options) {
    const { referrers, upgrade, ...others } = known(options, [...CALL, "referrers", "upgrade"]);
    const call = { ...others, began: now() };
    await connected();
    const sink = new MemorySink();
    const copying = exchange().Exchange.copy(this.#begin(), written(source), written(target), { referrers, upgrade });
    const fetchPart = (...part) => this.#fetchPart(target, ...part);
    const copied = await this.#run(copying, call, { fetchPart, sinks: [sink], names: PARTS });
    return copied.reference ? { ...copied, upgraded: false } : this.#upgrade(sink.bytes(), written(target), call);
  }

  /** Pushes a chart of Helm 3.0 to 3.6, which has been fetched, as today's Helm would. */
  async #upgrade(data, target, call) {
    const artifact = await Artifact.build(data, this.#limited);
    const push = exchange().Exchange.push(this.#begin(), Push.to(artifact, target), {});
    const pushed = await this.#run(push, call, { blobs: [undefined, data], names: ["config", ...PARTS] });
    const { reference, digest, size, blobs } = pushed;
    return { reference, digest, size, blobs, referrers: [], upgraded: true };
  }

  async #fetchPart(home, repository, descriptor, start, end, signal, sink = new MemorySink(start)) {
    const fetching = exchange().Exchange.fetchPart(this.#begin(), repository, descriptor, start, end);
    await this.#run(fetching, { signal, home }, { sinks: [sink] });
    return sink.part?.(start, end);
  }

  /** A tag, or a manifest by its digest and with it all of its tags. */
  async delete(reference, options) {
    const call = known(options, CALL);
    await connected();
    return this.#run(exchange().Exchange.delete(this.#begin(), written(reference)), call);
  }

  /** What refers to a manifest: all of it, or what is of one type. */
  async referrers(reference, options) {
    const { artifactType, ...call } = known(options, [...CALL, "artifactType"]);
    await connected();
    const referring = exchange().Exchange.referrers(this.#begin(), written(reference), artifactType);
    return this.#run(referring, call);
  }

  /** Shows user and password to a registry and, if it takes them, stores them where Helm does. */
  async login(registry, username, password, options) {
    const { signal, onProgress, timeout } = known(options, CALL);
    await connected();
    const credential = username ? { username, password } : { identityToken: password };
    const { keeper, keep } = stores();
    const keeping = keeper(written(registry), credential, this.#options.registryConfig);
    let checked;
    try {
      this.#begin();
      const login = exchange().Exchange.login(this.#fresh({ hasCredentials: true }), written(registry));
      if (timeout !== undefined && timeout !== null) login.setTimeout(timeout);
      const answering = { transport: this.#transport, credentials: () => credential, signal, onProgress };
      checked = await drive(login, answering);
    } catch (error) {
      keeping.free();
      throw error;
    }
    const { entry, path, helper } = await keep(keeping);
    this.#session = undefined;
    return { registry: entry, path, helper, checked };
  }

  /** Removes a registry's credential from where Helm keeps it. */
  async logout(registry) {
    await connected();
    const { keeper, keep } = stores();
    const { entry, path, helper, changed } = await keep(keeper(written(registry), null, this.#options.registryConfig));
    this.#session = undefined;
    return { registry: entry, path, helper, removed: changed };
  }

  /** Where the credential for a reference comes from: never the secret. */
  async explainCredentials(reference) {
    await connected();
    const { registry, repository } = core().parseReference(written(reference));
    const { credentials, registryConfig } = this.#options;
    const explained = { registry, repository, source: undefined, kind: undefined, username: undefined, asked: [] };
    if (typeof credentials === "function") return { ...explained, source: "callable" };
    if (credentials !== undefined) return { ...explained, ...described(credentials) };
    const store = currentPlatform().credentials;
    if (!store) return explained;
    const { kind, username, asked } = await store.search({ registry, repository }, registryConfig);
    return { ...explained, source: kind && "store", kind, username, asked };
  }

  /** Closes connections that stand; the client can still be used. */
  close() {
    this.#transport?.close();
    this.#transport = undefined;
  }

  #pull(reference, sinks, { version, ...options }) {
    const { signal, onProgress, timeout, began, ...others } = options;
    const wanted = { ...others, version: written(version) };
    const pulling = exchange().Exchange.pull(this.#begin(), written(reference), wanted);
    return this.#run(pulling, { signal, onProgress, timeout, began }, { sinks, names: PARTS });
  }

  /** The session; its transport is there from the first verb on. */
  #begin() {
    const { allow, credentials, ...options } = this.#options;
    if (options.registryConfig) stores();
    this.#transport ??= currentPlatform().transport({ ...options, permit: permission(allow) });
    this.#session ??= this.#fresh({ hasCredentials: credentials !== undefined && credentials !== null });
    return this.#session;
  }

  /** A session in which nothing was learned yet, and nothing earned. */
  #fresh(policy) {
    const { allow, credentials, ...options } = this.#options;
    const { traits } = this.#transport;
    return new (exchange().Session)({
      seed: crypto.getRandomValues(new Uint32Array(1))[0],
      ...policy,
      ...options,
      tlsOptions: (options.caFile ?? options.certFile) !== undefined,
      manualRedirects: traits.manualRedirects,
      allHeaders: traits.allHeaders,
    });
  }

  /**
   * `home` is what the verb is for, if that is not the operation's own registry; since `began` it has been under way, if this
   * is but a part of it.
   */
  async #run(operation, { signal, onProgress, timeout, began, home }, blobs) {
    const allowed = timeout ?? this.#options.timeout ?? undefined;
    if (allowed !== undefined) operation.setTimeout(allowed); // which refuses what is no time
    if (allowed !== undefined && began) operation.setTimeout(Math.max(0, allowed - (now() - began) / 1000));
    if (home !== undefined) operation.onBehalfOf(written(home));
    const credentials = (query, over) => this.#answer(query, over);
    return drive(operation, { transport: this.#transport, credentials, signal, onProgress, ...blobs });
  }

  async #answer(query, signal) {
    const { credentials, registryConfig } = this.#options;
    const isAsked = typeof credentials === "function";
    // Who else asks, as the source of a copy does, gets what the files hold.
    const isForIt = isAsked || credentials === null || query.own;
    if (credentials === undefined || !isForIt) return found(query, registryConfig, signal);
    const given = isAsked ? await credentials(query) : credentials;
    if (Array.isArray(given)) return { username: given[0], password: given[1] };
    if (typeof given === "string") return { token: given };
    return given;
  }
}
if (Symbol.dispose) Client.prototype[Symbol.dispose] = Client.prototype.close;

/** What files and helpers hold. What stood in the way is an answer as well: the exchange decides what comes of it. */
async function found(query, registryConfig, signal) {
  try {
    return (await currentPlatform().credentials?.search(query, registryConfig, signal))?.credential;
  } catch (error) {
    if (error instanceof ChartOciError) return error;
    throw error;
  }
}

/** Where credentials are kept on this platform. */
function stores() {
  const { credentials } = currentPlatform();
  if (!credentials) {
    throw failure("misuse.argument", "there are no files on this platform to keep credentials in: pass them to the client");
  }
  return credentials;
}

/** What was given to the client, without the secret. */
function described(credentials) {
  if (credentials === null) return {};
  if (Array.isArray(credentials)) return { source: "given", kind: "basic", username: credentials[0] };
  if (typeof credentials === "string") return { source: "given", kind: "bearer" };
  const { username, identityToken } = credentials;
  return { source: "given", kind: username ? "basic" : identityToken ? "identity" : "bearer", username };
}

/** A chart's bytes; a path brings the provenance beside it and the time of its file. */
async function chartOf(chart, limits) {
  if (chart instanceof Archive) return { archive: chart, data: packedBytes(chart), provenance: chart.provenance };
  if (chart instanceof Packaged) return { data: chart.data };
  const data = isLarge(chart) ? chart : await bytesOf(chart, limits);
  return { data, ...(isPath(chart) ? await filesOf(chart).companions(chart, enough(limits, true)) : {}) };
}

/** Asked before every connection: a list of hosts, or a function `(host, ip, port) => boolean`. */
function permission(allow) {
  if (allow === undefined || allow === null) return undefined;
  const isListed = (host, ip, port) => exchange().hostMatches(texts(allow, "allow"), `${host}:${port}`);
  const allows = typeof allow === "function" ? allow : isListed;
  return async ({ hostname, port, protocol }, ip) => {
    const number = Number(port || (protocol === "https:" ? 443 : 80));
    try {
      return await allows(hostname, ip, number);
    } catch (error) {
      throw new Thrown(error);
    }
  };
}

class MemorySink {
  #parts = [];
  #start;

  /** What is stored begins at this byte of the blob. */
  constructor(start = 0) {
    this.#start = start;
  }

  /** Keeps the first bytes, so many; those before the part that is wanted, if the registry sends them. */
  cut(offset) {
    const kept = Math.max(0, offset - this.#start);
    this.#start = Math.min(this.#start, offset);
    this.#parts = kept === 0 ? [] : [this.bytes().subarray(0, kept)];
  }

  /** From one byte of the blob to another. */
  part(start, end) {
    return this.bytes().subarray(start - this.#start, end - this.#start);
  }

  write(chunk) {
    this.#parts.push(chunk);
  }

  bytes() {
    return join(this.#parts);
  }
}
