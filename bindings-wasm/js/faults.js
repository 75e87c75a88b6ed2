/** What a registry does wrong on request: the same faults as in Python's `chartoci.testing`. */

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** The fault that a request suffers from, if any. */
export function striking(faults, { method, target }, body) {
  const fault = faults?.(method, target);
  const strikes = fault && !(body.length <= fault.above) && !(body.length >= fault.below);
  return strikes ? { status: 503, ...fault } : undefined;
}

/**
 * The answer as it goes out: `{ status, headers, pieces, reset, broken }`. With a status the registry does nothing of what
 * was asked; with `status: null` it does it, by `serve(head)`, and its answer is spoilt.
 */
export async function answer(fault, head, serve) {
  if (!fault) {
    const { status, headers, body } = serve(head);
    return { status, headers, pieces: [body], reset: false, broken: false };
  }
  await pause(fault.delay ?? 0);
  const seen = { ...head, headers: head.headers.filter(([name]) => !fault.ignore?.includes(name.toLowerCase())) };
  const own = fault.status === null;
  let { status, headers, body } = own ? serve(seen) : { status: fault.status, headers: [], body: new Uint8Array() };
  if (fault.body !== undefined) body = typeof fault.body === "string" ? new TextEncoder().encode(fault.body) : fault.body;
  if (fault.flip && body.length > 0) {
    body = body.slice();
    body[0] ^= 1;
  }
  const given = Object.entries(fault.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  const names = new Set(given.map(([name]) => name));
  if (!own || fault.body !== undefined) {
    headers = [...headers.filter(([name]) => name !== "content-length"), ["content-length", String(body.length)]];
  }
  headers = [...headers.filter(([name]) => !names.has(name)), ...given.filter(([, value]) => value)];
  const broken = (fault.short ?? Infinity) < body.length;
  return { status, headers, pieces: dripping(fault, body), reset: fault.reset === true, broken };
}

/** The body in its own time. */
async function* dripping({ short = Infinity, drip = 0 }, body) {
  const end = Math.min(short, body.length);
  const step = drip > 0 ? Math.max(1, Math.floor(end / 16)) : Math.max(1, end);
  for (let start = 0; start < end; start += step) {
    if (start > 0) await pause(drip);
    yield body.subarray(start, Math.min(start + step, end));
  }
}
