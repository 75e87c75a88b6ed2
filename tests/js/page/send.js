/** One request by a transport, and what came of it as data: for Node and for a page. */

const MIB = 1 << 20;

/**
 * `size`: so many MiB go up in place of `body`. `keep: false`: the body is counted only. `abortAfter` milliseconds it is
 * given up, which `took` so long; `stopAfter` the first piece no more is read for so long, and then it is given up.
 */
export async function send(transport, { url, method = "GET", headers = [], body, size, keep = true, ...rest }) {
  const { timeout = 5000, abortAfter, stopAfter } = rest;
  const bytes = size === undefined ? body && new TextEncoder().encode(body) : new Uint8Array(size * MIB);
  const control = new AbortController();
  let began = performance.now();
  const abort = () => {
    began = performance.now();
    control.abort();
  };
  const timer = abortAfter === undefined ? undefined : setTimeout(abort, abortAfter);
  const seen = { total: 0, largest: 0, body: "" };
  const payload = { kind: size === undefined ? "bytes" : "blob" };
  const patience = { timeout: timeout ?? undefined, thinking: timeout ?? undefined };
  const request = { method, url, headers, body: bytes, payload, redirect: "manual", onSent: () => {} };
  if (transport.traits.manualRedirects === false) request.redirect = "follow";
  try {
    const answer = await transport.send({ ...request, ...patience, signal: control.signal });
    seen.status = answer.status;
    seen.headers = answer.headers.map(([name, value]) => [name.toLowerCase(), value]);
    for await (const chunk of answer.body) {
      seen.total += chunk.length;
      seen.largest = Math.max(seen.largest, chunk.length);
      if (keep) seen.body += String.fromCharCode(...chunk);
      if (stopAfter === undefined) continue;
      await new Promise((resolve) => setTimeout(resolve, stopAfter));
      break;
    }
  } catch (error) {
    seen.failure = error.kind ?? String(error);
  } finally {
    clearTimeout(timer);
    seen.took = performance.now() - began;
    control.abort();
  }
  return seen;
}
