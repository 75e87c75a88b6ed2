/** Executes the core's file verbs below a directory, and decides nothing. */

import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import * as fs from "node:fs/promises";
import { hostname } from "node:os";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { core } from "./core.js";
import { ChartOciError } from "./errors.js";

// Not every platform has the last one.
const { O_CREAT, O_RDONLY, O_WRONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;
// Milliseconds that a pipe with credentials may give nothing.
const PIPE_PATIENCE = 30_000;

/**
 * Drives a file machine to its end; gives its value. For `credentials` what is read may be a link, and what is written is a
 * lock that was made before: if it is lost, no other file takes its place. Programs end with `signal`.
 */
export async function run(machine, place, { credentials = false, signal } = {}) {
  const directory = place instanceof URL ? fileURLToPath(place) : place;
  const locks = credentials ? new Map() : undefined;
  try {
    for (;;) {
      const { kind, verb, value } = machine.poll();
      if (kind === "done") return value;
      machine.handle(await execute(verb, directory, locks, signal));
    }
  } finally {
    machine.free();
    for (const lock of locks?.values() ?? []) await lock.close();
  }
}

/** Drives the extraction of a chart by the machine for a path; gives the path of its directory. */
export async function extract(machineFor, place) {
  const directory = place instanceof URL ? fileURLToPath(place) : place;
  await named(makeDirectory(directory), directory, true);
  return join(directory, await run(machineFor(String(directory)), directory));
}

/** Does what a verb says; `directory` is empty where its paths are the system's own. `locks` by path are held until they are closed. */
export async function execute(verb, directory, locks = undefined, signal = undefined) {
  try {
    const place = (path) => (directory === "" ? resolve(path) : join(directory, ...path.split("/")));
    return await act(verb, place, locks, signal);
  } catch (error) {
    return { kind: "failed", reason: error.code ?? "", message: error.message };
  }
}

/** Where links lead; a file of credentials need not be there yet. */
async function real(path, mayBeMissing) {
  try {
    return await fs.realpath(path);
  } catch (error) {
    if (mayBeMissing && error.code === "ENOENT") return path;
    throw error;
  }
}

async function act(verb, place, locks, signal) {
  if (verb.kind === "find" || verb.kind === "run") {
    const program = await find(verb.program);
    return verb.kind === "run" ? ran(program, verb, signal) : { kind: "done" };
  }
  const at = place(verb.path ?? verb.from);
  switch (verb.kind) {
    case "list":
      return { kind: "entries", entries: await entries(at) };
    case "read":
      return { kind: "data", data: await readRange(at, verb.offset, verb.limit, locks ? O_NONBLOCK : O_NOFOLLOW) };
    case "makeDirectory":
      await makeDirectory(at);
      break;
    case "write":
      if (locks) await writeFrom(await held(locks, verb.path, at), verb.offset, verb.data);
      else await writeAt(at, verb.offset, verb.data);
      break;
    case "sync":
      if (locks) await (await held(locks, verb.path, at)).datasync();
      else await sync(at);
      break;
    case "rename":
      if (locks) await held(locks, verb.from, at);
      if (locks) await replaceable(place(verb.to));
      await rename(at, place(verb.to));
      break;
    case "remove":
      if (locks) await held(locks, verb.path, at);
      await fs.rm(at, { recursive: true, force: true });
      break;
    case "resolve":
      return { kind: "data", data: Buffer.from(await real(at, locks !== undefined)) };
    case "lock":
      locks.set(verb.path, await lock(at, verb.patience));
      break;
    default:
      throw new Error(`this version executes no ${verb.kind}`);
  }
  return { kind: "done" };
}

async function entries(at) {
  const list = [];
  for (const entry of await fs.readdir(at, { withFileTypes: true })) {
    const { size, mtimeMs } = await fs.lstat(join(at, entry.name));
    const kind = entry.isFile() ? "file" : entry.isDirectory() ? "directory" : entry.isSymbolicLink() ? "link" : "other";
    list.push({ name: entry.name, kind, size, modified: Math.round(mtimeMs / 1000) });
  }
  return list;
}

/** Makes a directory and those above it, one after the other: where none can be made, Node's own way may never end. */
async function makeDirectory(path, mode) {
  const make = async () => {
    try {
      await fs.mkdir(path, { mode });
    } catch (error) {
      if (!(await isDirectory(path))) throw error;
    }
  };
  try {
    await make();
  } catch (error) {
    if (error.code !== "ENOENT" || dirname(path) === path) throw error;
    await makeDirectory(dirname(path), mode);
    await make();
  }
}

async function readRange(at, offset, limit, flags = 0) {
  const file = await fs.open(at, O_RDONLY | flags);
  try {
    const stat = await file.stat();
    // What is no file, a pipe for one, has neither size nor places.
    const isFile = stat.isFile();
    const data = new Uint8Array(isFile ? Math.max(0, Math.min(limit, stat.size - offset)) : limit);
    let filled = 0;
    const waits = flags & O_NONBLOCK && stat.isFIFO();
    while (filled < data.length) {
      const place = [data, filled, data.length - filled, isFile ? offset + filled : null];
      const { bytesRead } = await (waits ? fromPipe(file, ...place) : file.read(...place));
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return data.subarray(0, filled);
  } finally {
    await file.close();
  }
}

/** What comes next in a pipe, into which perhaps nobody ever writes. */
async function fromPipe(file, data, filled, most) {
  for (const until = Date.now() + PIPE_PATIENCE; ; await pause(20)) {
    try {
      const taken = await file.read(data, filled, most, null);
      // As long as nobody has opened it to write, it is at its end.
      if (taken.bytesRead > 0 || filled > 0) return taken;
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
    if (Date.now() > until) throw Object.assign(new Error("nobody writes into this pipe"), { code: "ETIMEDOUT" });
  }
}

async function writeAt(at, offset, data) {
  const file = await fs.open(at, O_WRONLY | O_NOFOLLOW | O_CREAT, 0o644);
  try {
    await writeFrom(file, offset, data);
  } finally {
    await file.close();
  }
}

async function writeFrom(file, offset, data) {
  await file.truncate(offset);
  await writeAll(file, data, offset);
}

async function writeAll(file, data, offset) {
  let written = 0;
  while (written < data.length) {
    written += (await file.write(data, written, data.length - written, offset + written)).bytesWritten;
  }
}

async function sync(at) {
  const file = await fs.open(at, "r");
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function replaceable(at) {
  const there = await fs.stat(at).catch(() => undefined);
  if (there && !there.isFile()) throw new Error("a device or a pipe is there, and no file");
}

async function rename(from, to) {
  const [source, target] = await Promise.all([from, to].map((path) => fs.lstat(path).catch(() => undefined)));
  if (source?.isDirectory() && target) throw Object.assign(new Error(`${to} is there already`), { code: "EEXIST" });
  await fs.rename(from, to);
}

/**
 * Makes a lock; gives its file. It is left over if it is old: as long as it is open it is touched, so that who is late keeps it.
 */
async function lock(at, patience) {
  await makeDirectory(dirname(at), 0o700);
  const end = Date.now() + 2000 * patience;
  for (;;) {
    try {
      const file = await fs.open(at, "wx", 0o600);
      const beat = setInterval(() => file.utimes(Date.now() / 1000, Date.now() / 1000).catch(() => {}), 250 * patience);
      beat.unref();
      file.once("close", () => clearInterval(beat));
      return file;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      const found = await fs.lstat(at, { bigint: true }).catch(() => undefined);
      if (!found) continue;
      if (Date.now() - Number(found.mtimeMs) > 1000 * patience && (await unlock(at, found))) continue;
      if (Date.now() > end) throw error;
      await pause(20);
    }
  }
}

/** The lock of that name, as long as the name is still its own: nobody writes into the file of another, or moves it. */
async function held(locks, path, at) {
  const file = locks.get(path);
  const there = await fs.lstat(at, { bigint: true });
  const ours = await file?.stat({ bigint: true });
  if (ours?.ino === there.ino && ours.dev === there.dev) return file;
  throw Object.assign(new Error("the lock is lost"), { code: "ENOENT" });
}

/**
 * Removes a lock that was left behind, unless it has made room for another meanwhile: of all who find it, only one can make
 * the second name that it gets by its time, and nobody else takes away the first. False: somebody else does it.
 */
async function unlock(at, found) {
  const second = `${at}.${found.mtimeNs}`;
  try {
    await fs.link(at, second);
  } catch (error) {
    if (error.code === "EEXIST") return false;
    if (error.code === "ENOENT") return true;
    throw error;
  }
  try {
    const now = await fs.lstat(second, { bigint: true });
    if (now.ino === found.ino && now.mtimeNs === found.mtimeNs) await fs.rm(at, { force: true });
    return true;
  } finally {
    await fs.rm(second, { force: true });
  }
}

/** Where a program is, in a directory of PATH that does not depend on where we are. */
async function find(program) {
  const endings = process.platform === "win32" ? [".exe"] : [""];
  for (const directory of (process.env.PATH ?? "").split(delimiter).filter(isAbsolute)) {
    for (const ending of endings) {
      const path = join(directory, program + ending);
      const status = await fs.stat(path).catch(() => undefined);
      const allowed = status?.isFile() && (await fs.access(path, fs.constants.X_OK).then(() => true, () => false));
      if (allowed) return path;
    }
  }
  throw Object.assign(new Error(`${program} is in no directory of PATH`), { code: "ENOENT" });
}

/** Runs a program in a group of its own, so that it can be killed with all that it has started. */
function ran(path, { arguments: words, input, timeout, limit }, signal) {
  return new Promise((resolve, reject) => {
    const group = process.platform !== "win32";
    const child = spawn(path, words, { stdio: ["pipe", "pipe", "ignore"], detached: group, windowsHide: true });
    const parts = [];
    let [size, killed] = [0, false];
    const kill = () => {
      killed = true;
      try {
        process.kill(group ? -child.pid : child.pid, "SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
      child.stdout.destroy();
    };
    const timer = setTimeout(kill, 1000 * timeout);
    const over = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", kill);
    };
    signal?.addEventListener("abort", kill);
    if (signal?.aborted) kill();
    child.on("error", (error) => {
      over();
      reject(error);
    });
    child.stdin.on("error", () => {}); // not all programs read what they are given
    child.stdin.end(input);
    child.stdout.on("data", (chunk) => {
      parts.push(chunk);
      size += chunk.length;
      if (size > limit) kill();
    });
    child.on("close", (status) => {
      over();
      resolve({ kind: "ran", status: killed ? undefined : (status ?? undefined), output: Buffer.concat(parts) });
    });
  });
}

/** Among whom a number of a process means one and the same: this start of this machine, and what Linux shows of it. */
const among = () => {
  const tell = (read, path) => {
    try {
      return String(read(path));
    } catch {
      return "";
    }
  };
  const boot = tell(readFileSync, "/proc/sys/kernel/random/boot_id");
  const text = [hostname(), boot, tell(readlinkSync, "/proc/self/ns/pid")].join("\n");
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
};
let ours;
const swept = new Set();

/** Node has no locks that end with their process: the name says whose a file is. */
const partOf = () => `.chartoci-${(ours ??= among())}-${process.pid}-${randomBytes(8).toString("hex")}.part`;

/** Removes what killed processes have left in a directory, once: those that are killed from now on are for who comes next. */
async function sweep(directory) {
  if (swept.has(directory)) return;
  swept.add(directory);
  for (const name of await fs.readdir(directory).catch(() => [])) {
    const [, whose, pid] = /^\.chartoci-([0-9a-f]{8})-([0-9]+)-[0-9a-f]{16}\.part$/.exec(name) ?? [];
    if (whose === ours && isOver(Number(pid))) await fs.rm(join(directory, name), { force: true }).catch(() => {});
  }
}

function isOver(pid) {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}

/** A file that is written beside its place, made on first use; it gets its name by `commit` or disappears. */
class Beside {
  #directory;
  #opening;
  #isOver = false;
  #offset = 0;

  constructor(directory) {
    this.#directory = String(directory instanceof URL ? fileURLToPath(directory) : directory);
    this.path = join(this.#directory, partOf());
  }

  async #open() {
    if (this.#isOver) throw new Error("nobody wants the file any more");
    this.#opening ??= named(makeDirectory(this.#directory), this.#directory, true)
      .then(() => sweep(resolve(this.#directory)))
      .then(() => named(fs.open(this.path, "wx"), this.#directory));
    return this.#opening;
  }

  async cut(offset) {
    await (await this.#open()).truncate(offset);
    this.#offset = offset;
  }

  async write(chunk) {
    await writeAll(await this.#open(), chunk, this.#offset);
    this.#offset += chunk.length;
  }

  /** Gives the file its name; one that is there already is replaced. Gives its path. */
  async commit(name) {
    const file = await this.#open();
    const place = join(this.#directory, name);
    await named(file.sync().then(() => file.close()).then(() => fs.rename(this.path, place)), place);
    this.#opening = undefined;
    return place;
  }

  /** A file that is being made at this very moment is gone as well. */
  async discard() {
    this.#isOver = true;
    const file = await this.#opening?.catch(() => {});
    this.#opening = undefined;
    if (!file) return;
    await file.close().catch(() => {});
    await fs.rm(this.path, { force: true });
  }
}

export const beside = (directory) => new Beside(directory);

/** Writes a file under its name, whole or not at all; gives its path. */
export async function save(directory, name, data) {
  const file = beside(directory);
  try {
    await file.write(data);
    return await file.commit(name);
  } finally {
    await file.discard();
  }
}

/** At most `limit` bytes of a file. */
export const read = (path, limit) => named(readRange(path, 0, limit), path);

/** False for what is not there, too. */
export const isDirectory = async (path) => (await fs.stat(path).catch(() => undefined))?.isDirectory() ?? false;

/** Refuses a path that is no directory's. */
export async function directory(path) {
  const status = await named(fs.stat(path), path);
  if (!status.isDirectory()) throw explained({ code: "ENOTDIR", message: "" }, path);
}

/** What Helm pushes with a file: the provenance beside it, and the time of its last change. */
export async function companions(path, limit) {
  const file = path instanceof URL ? fileURLToPath(path) : path;
  const [provenance, { mtime }] = await Promise.all([
    readRange(`${file}.prov`, 0, limit).catch((error) => {
      if (error.code !== "ENOENT") throw explained(error, `${file}.prov`);
    }),
    fs.stat(file),
  ]);
  return { provenance, created: mtime };
}

async function named(action, path, making = false) {
  try {
    return await action;
  } catch (error) {
    throw explained(error, path, making);
  }
}

/** What the system said about a path, as one of the library's errors; `making`: a directory was to be made there. */
export function explained(error, path, making = false) {
  if (!error.code || error instanceof ChartOciError) return error;
  const [why] = error.message.split(`, ${error.syscall}`); // what follows is the path
  return core().fileError(error.code, why, String(path), making);
}
