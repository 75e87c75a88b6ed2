/** The loop that drives an exchange: do what it says, tell it what came of it. */

import { pieceOf, piecesOf } from "./blobs.js";
import { ChartOciError } from "./errors.js";
import { Pipe } from "./pipe.js";

/** Why a request could not be completed: `kind` is one of the core's failures. */
export class TransportFailure extends Error {
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

/** What a function of the caller's own threw: it is raised as it is, and nothing is tried again. */
export class Thrown extends Error {
  constructor(cause) {
    super("a function of the caller's failed", { cause });
  }
}

const now = () => performance.now();

const listening = new WeakMap();

/** Listens to a caller's signal, once for all who do: Node warns of more than ten. Gives what ends it. */
function listen(signal, end) {
  let heard = listening.get(signal);
  if (!heard) {
    const ends = new Set();
    heard = { ends, tell: () => ends.forEach((end) => end()) };
    listening.set(signal, heard);
    signal.addEventListener("abort", heard.tell);
  }
  heard.ends.add(end);
  return () => {
    heard.ends.delete(end);
    if (heard.ends.size > 0 || listening.get(signal) !== heard) return;
    listening.delete(signal);
    signal.removeEventListener("abort", heard.tell);
  };
}

/**
 * Drives an exchange to its end; gives its outcome.
 *
 * `transport.send(request)` gives `{ status, headers, url, body }`; `blobs[id]` are the bytes to upload, `sinks[id]` take
 * what arrives (`cut(offset)`, `write(chunk)`); `names[id]` are what progress calls them. `credentials(query, signal)` is
 * told by its signal that nobody waits any more. What a copy takes from elsewhere
 * `fetchPart(repository, descriptor, start, end, signal, sink)` gives, or puts into the sink where the transport streams.
 */
export async function drive(exchange, options) {
  const { transport, blobs = [], sinks = [], names = [], credentials, signal, onProgress, fetchPart } = options;
  const inFlight = new Map();
  const over = new AbortController();
  let finished = false;
  let broken; // what the caller's own functions threw
  let wake = () => {};

  const tell = (event) => {
    try {
      onProgress?.(event);
    } catch (error) {
      fail(error);
    }
  };
  const fail = (error) => {
    broken ??= { error };
    exchange.abort();
    wake();
  };

  /** A range of what was handed in. */
  const own = async (whole, start, end) => {
    if (!(whole instanceof Blob)) return { body: whole.subarray(start, end), total: whole.length };
    if (transport.traits?.streams) return { body: piecesOf(whole, start, end), total: whole.size };
    // What a fetch cannot read it takes for a broken connection.
    await pieceOf(whole, start, Math.min(start + 1, end));
    return { body: whole.slice(start, end), total: whole.size };
  };

  /** What goes out with a request. */
  const content = async ({ kind, bytes, blob, start, end }, given) => {
    if (kind !== "blob") return { body: bytes };
    const elsewhere = exchange.source(blob);
    if (!elsewhere) return { item: names[blob], ...(await own(blobs[blob], start, end)) };
    const { repository, descriptor } = elsewhere;
    const shown = { item: descriptor.digest, total: descriptor.size };
    // Its drive has tried again what is of use to try again: what else comes out of it was thrown by the caller's functions.
    const fetched = (sink) =>
      fetchPart(repository, descriptor, start, end, given, sink).catch((error) => {
        throw error instanceof ChartOciError ? error : new Thrown(error);
      });
    if (!transport.traits?.streams) return { body: await fetched(), ...shown };
    const body = new Pipe(start, end);
    fetched(body).then(
      () => body.finish(),
      (error) => body.finish({ error }),
    );
    // Some registries serve nobody while they take a blob, and it may come from themselves: first it begins to come.
    await body.begun();
    return { body, ...shown };
  };

  /** Runs until the exchange has heard what became of the request. */
  const start = async (request) => {
    const { id, sink, payload } = request;
    const control = new AbortController();
    inFlight.set(id, control);
    let receiver;
    try {
      const { body, item, total } = await content(payload, control.signal);
      const onSent = (count) => {
        if (finished || payload.kind !== "blob") return;
        tell({ kind: "progress", item, transferred: payload.start + count, total });
      };
      const response = await transport.send({ ...request, body, onSent, signal: control.signal });
      if (finished) return;
      receiver = exchange.handleResponse(id, response);
      const storing = receiver.stores ? sinks[sink] : undefined;
      await stored(storing?.cut(receiver.offset));
      const { patience } = receiver;
      const began = now();
      for await (const chunk of response.body) {
        if (finished) return;
        if (now() - began > patience) throw new TransportFailure("timeout", "");
        const more = receiver.write(chunk);
        if (storing) {
          await stored(storing.write(chunk));
          tell({ kind: "progress", item: names[sink], transferred: receiver.seen, total: receiver.expected });
        }
        if (!more) break;
      }
      if (finished) return;
      const whole = receiver;
      receiver = undefined;
      exchange.handleEnd(id, whole);
    } catch (error) {
      if (finished) return;
      // What a sink could not store; what ends the fetch of a copy ends the copy: it has been tried again already.
      if (error instanceof ChartOciError) return fail(error);
      if (error instanceof Thrown) return fail(error.cause);
      const part = receiver;
      receiver = undefined;
      const { kind = "other", message } = error instanceof TransportFailure ? error : { message: String(error) };
      exchange.handleFailure(id, { kind, message }, part);
    } finally {
      receiver?.free();
      inFlight.delete(id);
      control.abort();
      wake();
    }
  };

  const ask = async (query) => {
    try {
      const credential = await credentials?.(query, over.signal);
      if (!finished) exchange.handleCredential(query.id, credential);
    } catch (error) {
      if (!finished) fail(error);
    }
    wake();
  };

  const onAbort = () => {
    exchange.abort();
    wake();
  };
  const forget = signal && listen(signal, onAbort);
  if (signal?.aborted) exchange.abort();
  try {
    for (;;) {
      // Made before polling: what happens in between is not slept through.
      const woken = new Promise((resolve) => (wake = resolve));
      const output = exchange.poll(now());
      switch (output.kind) {
        case "send":
          start(output.request);
          break;
        case "cancel":
          inFlight.get(output.id)?.abort();
          break;
        case "ask":
          ask(output.query);
          break;
        case "notify":
          tell(output.event);
          break;
        case "wait":
          await sleep(output.until, woken);
          break;
        case "done":
          finished = true;
          if (broken) throw broken.error;
          if (output.error?.kind === "aborted" && signal?.aborted) {
            throw new ChartOciError(output.error.toJSON(), { cause: signal.reason });
          }
          if (output.error) throw output.error;
          return output.outcome;
      }
    }
  } finally {
    finished = true;
    forget?.();
    for (const control of inFlight.values()) control.abort();
    over.abort();
    exchange.free();
  }
}

/** What the sink explains itself ends the exchange as it is. */
async function stored(write) {
  try {
    await write;
  } catch (error) {
    throw error instanceof ChartOciError ? error : new TransportFailure("storage", error.message);
  }
}

async function sleep(until, woken) {
  if (until === undefined) return woken;
  let timer;
  const elapsed = new Promise((resolve) => (timer = setTimeout(resolve, Math.ceil(until - now()))));
  await Promise.race([woken, elapsed]);
  clearTimeout(timer);
}
