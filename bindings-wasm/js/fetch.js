/** The transport of browsers and workers, and of whoever brings a `fetch`. */

import { readAll } from "./blobs.js";
import { failure } from "./core.js";
import { TransportFailure } from "./drive.js";
import { failureOf } from "./failures.js";

/**
 * `browser`: fetch runs under a page's rules: it follows redirects itself, shows what CORS exposes, sends no User-Agent,
 * and an unexplained TypeError is most often missing CORS. `permit(url)`: asked before every request.
 */
export function fetchTransport({ fetch, browser = false, permit, ...others }) {
  const own = fetch ?? globalThis.fetch;
  const strange = ["caFile", "certFile", "keyFile", "proxy"].find((name) => others[name]);
  if (strange) throw failure("misuse.argument", `${strange}: fetch has no such option, only the transport of Node has`);
  const send = async ({ method, url, headers, body, payload, redirect, timeout, thinking, signal, onSent }) => {
    if (permit && !(await permit(new URL(url)))) throw new TransportFailure("forbidden", new URL(url).host);
    const silence = watch(timeout, signal);
    // How far an upload is, fetch does not tell: silence is counted from the answer's head on.
    if (payload.kind !== "blob") silence.heard(thinking);
    let response;
    try {
      response = await own(url, {
        method,
        headers: browser ? headers.filter(([name]) => name !== "user-agent") : unpacked(headers),
        body: method === "GET" || method === "HEAD" ? undefined : (body ?? new Uint8Array(0)),
        redirect,
        signal: silence.signal,
        credentials: "omit",
        cache: "no-store",
        referrerPolicy: "no-referrer",
      });
    } catch (error) {
      silence.over();
      throw silence.failure() ?? explain(error, url, browser);
    }
    if (body) onSent(body.size ?? body.length);
    silence.heard();
    return {
      status: response.status,
      headers: [...response.headers],
      url: redirect === "follow" && response.url ? response.url : undefined,
      body: chunks(response, silence),
    };
  };
  return { send, close() {}, traits: { manualRedirects: !browser, allHeaders: !browser } };
}

async function* chunks(response, silence) {
  try {
    if (!response.body) return;
    for await (const chunk of readAll(response.body)) {
      silence.heard();
      yield chunk;
    }
  } catch (error) {
    throw silence.failure() ?? new TransportFailure("reset", error.message);
  } finally {
    silence.over();
  }
}

/** Aborts when `timeout` milliseconds passed since the last `heard`, or when `signal` does. */
function watch(timeout, signal) {
  const control = new AbortController();
  let timer;
  let silent = false;
  const onAbort = () => {
    clearTimeout(timer);
    control.abort(signal.reason);
  };
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  return {
    signal: control.signal,
    heard(most = timeout) {
      clearTimeout(timer);
      if (most === undefined || signal.aborted) return;
      timer = setTimeout(() => {
        silent = true;
        control.abort();
      }, most);
    },
    over() {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    },
    failure: () => (silent ? new TransportFailure("timeout", "no answer") : undefined),
  };
}

/** Bodies are asked for as they are: digests and ranges count the bytes that are sent. A page has no say in it. */
export const unpacked = (headers) =>
  headers.some(([name]) => name === "accept-encoding") ? headers : [...headers, ["accept-encoding", "identity"]];

function explain(error, url, browser) {
  const reason = error?.cause ?? error;
  if (!browser) return failureOf(reason, "connect");
  const { host } = new URL(url);
  const origin = globalThis.location?.origin ?? "this page";
  return new TransportFailure(
    "connect",
    `${reason.message}: the browser tells no more; either ${host} cannot be reached, or it does not allow ${origin} by CORS`,
  );
}
