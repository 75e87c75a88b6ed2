/** What callers hand in becomes bytes: Uint8Array, ArrayBuffer, Blob, ReadableStream, in Node a path. */

import { core, currentPlatform, failure } from "./core.js";
import { describe } from "./given.js";

/** One byte more than may be: what is longer, the core refuses by its own rule and words. */
export const enough = (limits, isProvenance = false) => core().limitOf(limits, isProvenance) + 1;

/** A copy, so that nobody changes it behind the digest's back. */
export async function bytesOf(source, limits, isProvenance = false) {
  const most = enough(limits, isProvenance);
  if (ArrayBuffer.isView(source)) {
    return new Uint8Array(source.buffer, source.byteOffset, Math.min(source.byteLength, most)).slice();
  }
  if (source instanceof ArrayBuffer || isShared(source)) return new Uint8Array(source).slice(0, most);
  if (source instanceof Blob) return new Uint8Array(await source.slice(0, most).arrayBuffer());
  if (typeof source?.getReader === "function") return collect(readAll(source), most);
  if (typeof source?.[Symbol.asyncIterator] === "function") return collect(source, most);
  if (isPath(source)) return (await filesOf(source)).read(source, most);
  throw failure("misuse.argument", `${describe(source)} is no source of bytes`);
}

/** A Blob of more bytes is read piece by piece, and never held. */
const HELD = 32 << 20;
const PIECE = 256 << 10;

export const isLarge = (source) => source instanceof Blob && source.size > HELD;

/** A range of a Blob. One of a file that was changed meanwhile cannot be read. */
export async function pieceOf(blob, start, end) {
  try {
    return new Uint8Array(await blob.slice(start, end).arrayBuffer());
  } catch (error) {
    throw failure("files.changed", `${blob.name ?? "the Blob"} cannot be read any more: ${error.message}`);
  }
}

/** The same as pieces that are read when they are asked for. */
export const piecesOf = (blob, start, end) => ({
  length: end - start,
  async *[Symbol.asyncIterator]() {
    for (let at = start; at < end; at += PIECE) yield pieceOf(blob, at, Math.min(at + PIECE, end));
  },
});

/** A document's text: strings are content here, never paths. */
export function textBytes(source) {
  if (typeof source === "string") return new TextEncoder().encode(source);
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  throw failure("misuse.argument", `${describe(source)} is neither a text nor bytes`);
}

export const isPath = (source) => typeof source === "string" || source instanceof URL;

/** A path, if this may be one. */
export function pathOf(path) {
  if (!isPath(path)) throw failure("misuse.argument", `${describe(path)} is no path`);
  if (path instanceof URL && path.protocol !== "file:") throw failure("misuse.argument", `${path.protocol} is no file`);
  if (typeof path === "string" && path.includes("\n")) {
    throw failure("misuse.looks_like_content", "a text with line breaks stands where a path is expected");
  }
  return path;
}

/** The platform's files, where there are any and this may be a path. */
export function filesOf(path) {
  pathOf(path);
  const { files } = currentPlatform();
  if (!files) throw failure("misuse.argument", "there are no paths on this platform: pass bytes, a Blob or a stream");
  return files;
}

export async function collect(chunks, most = Infinity) {
  const parts = [];
  let length = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    length += chunk.length;
    if (length >= most) break;
  }
  return join(parts, Math.min(length, most));
}

export function join(parts, length = parts.reduce((sum, part) => sum + part.length, 0)) {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part.subarray(0, length - offset), offset);
    offset += Math.min(part.length, length - offset);
  }
  return bytes;
}

/** A stream's chunks; not every browser's streams are iterable. */
export async function* readAll(stream) {
  const reader = stream.getReader();
  let finished = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      finished = done;
      if (done) return;
      yield value;
    }
  } finally {
    if (!finished) reader.cancel().catch(() => {});
  }
}

const isShared = (source) => typeof SharedArrayBuffer === "function" && source instanceof SharedArrayBuffer;
