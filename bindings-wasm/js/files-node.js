/** Executes the core's file verbs below a directory, and decides nothing. */

import { randomBytes } from "node:crypto";
import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";

const REASONS = { ENOENT: "notFound", ENOTDIR: "notFound", EEXIST: "exists", ENOTEMPTY: "exists", EACCES: "denied", EPERM: "denied", ENOSPC: "full", EDQUOT: "full" };

/** Drives a file machine to its end; gives its value. */
export async function run(machine, directory) {
  try {
    for (;;) {
      const { kind, verb, value } = machine.poll();
      if (kind === "done") return value;
      machine.handle(await execute(verb, directory));
    }
  } finally {
    machine.free();
  }
}

/** Does what a verb says; `directory` may be empty where its paths are absolute. */
export async function execute(verb, directory) {
  try {
    return await act(verb, (path) => join(String(directory), ...path.split("/")));
  } catch (error) {
    return { kind: "failed", reason: REASONS[error.code] ?? "other", message: error.message };
  }
}

async function act(verb, place) {
  const at = place(verb.path ?? verb.from);
  switch (verb.kind) {
    case "list":
      return { kind: "entries", entries: await entries(at) };
    case "read":
      return { kind: "data", data: await readRange(at, verb.offset, verb.limit) };
    case "makeDirectory":
      await fs.mkdir(at, { recursive: true });
      break;
    case "write":
      await writeAt(at, verb.offset, verb.data);
      break;
    case "sync":
      await sync(at);
      break;
    case "rename":
      await rename(at, place(verb.to));
      break;
    case "remove":
      await fs.rm(at, { recursive: true, force: true });
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
    list.push({ name: entry.name, kind, size, modified: Math.floor(mtimeMs / 1000) });
  }
  return list;
}

async function readRange(at, offset, limit) {
  const file = await fs.open(at, "r");
  try {
    const { size } = await file.stat();
    const data = new Uint8Array(Math.max(0, Math.min(limit, size - offset)));
    let filled = 0;
    while (filled < data.length) {
      const { bytesRead } = await file.read(data, filled, data.length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return data.subarray(0, filled);
  } finally {
    await file.close();
  }
}

async function writeAt(at, offset, data) {
  const file = await fs.open(at, offset === 0 ? "w" : "r+");
  try {
    await file.truncate(offset);
    let written = 0;
    while (written < data.length) {
      written += (await file.write(data, written, data.length - written, offset + written)).bytesWritten;
    }
  } finally {
    await file.close();
  }
}

async function sync(at) {
  for (const path of [at, dirname(at)]) {
    const file = await fs.open(path, "r");
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

async function rename(from, to) {
  const [source, target] = await Promise.all([from, to].map((path) => fs.lstat(path).catch(() => undefined)));
  if (source?.isDirectory() && target) throw Object.assign(new Error(`${to} is there already`), { code: "EEXIST" });
  await fs.rename(from, to);
}

/** A file that is written beside its place and then moved there, or not at all. */
export async function beside(directory) {
  await fs.mkdir(directory, { recursive: true });
  const path = join(String(directory), `.chartoci-${randomBytes(8).toString("hex")}`);
  const file = await fs.open(path, "wx");
  let offset = 0;
  return {
    path,
    async cut(length) {
      await file.truncate(length);
      offset = length;
    },
    async write(chunk) {
      let written = 0;
      while (written < chunk.length) {
        written += (await file.write(chunk, written, chunk.length - written, offset + written)).bytesWritten;
      }
      offset += written;
    },
    async commit(name) {
      await file.sync();
      await file.close();
      const place = join(String(directory), name);
      await fs.rename(path, place);
      return place;
    },
    async discard() {
      await file.close().catch(() => {});
      await fs.rm(path, { force: true });
    },
  };
}

/** Writes a file under its name, whole or not at all; gives its path. */
export async function save(directory, name, data) {
  const file = await beside(directory);
  try {
    await file.write(data);
    return await file.commit(name);
  } catch (error) {
    await file.discard();
    throw error;
  }
}

/** At most `limit` bytes of a file. */
export async function read(path, limit) {
  return readRange(path, 0, limit);
}

/** What Helm pushes with a file: the provenance beside it, and the time of its last change. */
export async function companions(path, limit) {
  const provenance = await readRange(`${path instanceof URL ? path.href : path}.prov`, 0, limit).catch((error) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  const { mtime } = await fs.stat(path);
  return { provenance, created: mtime };
}
