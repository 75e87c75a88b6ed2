/** Verbs of a client, by whichever library is given: told and answered in data that may travel to a page and back. */

/** What stands among the words in place of the chart's bytes. */
export const CHART = "<the chart>";
/** The same as a Blob that is too large to be held: what stands behind an archive's end is a part of its file. */
export const LARGE = "<the chart in a large Blob>";
const large = (chart) => new Blob([chart, new Uint8Array(33 << 20)]);

/**
 * Does `calls`, each a verb and all of its words save options, at once on one client. Gives for each `{ result }` or
 * `{ error }`, and what they, the client and its events look like to whoever prints them (`said`). After `abortAfter`
 * milliseconds a signal ends them, which `took` so long.
 */
export async function perform(library, chart, { options, calls, abortAfter, show = String }) {
  const client = new library.Client({ ...(await options) });
  const control = new AbortController();
  let began = performance.now();
  if (abortAfter !== undefined) {
    setTimeout(() => {
      began = performance.now();
      control.abort();
    }, abortAfter);
  }
  const events = [];
  const onProgress = (event) => events.push(event);
  const done = calls.map(async ([verb, ...words]) => {
    const given = words.map((word) => (word === CHART ? chart : word === LARGE ? large(chart) : word));
    const last = given.at(-1);
    const more = abortAfter === undefined ? { onProgress } : { onProgress, signal: control.signal };
    given.push({ ...(isOptions(last) ? given.pop() : {}), ...more });
    try {
      const result = plain(library, await client[verb](...given));
      return { result, said: show(result) };
    } catch (error) {
      const { cause, stack, message } = error;
      const said = [error, stack, JSON.stringify(error), cause].map(show).join("\n");
      return { error: error.toJSON?.() ?? { message }, said };
    }
  });
  const outcomes = await Promise.all(done);
  const took = performance.now() - began;
  const said = [show(client), show(events)].join("\n");
  client.close();
  return { outcomes, took, said };
}

const isOptions = (word) => word?.constructor === Object;

/** Bytes as their digest, the library's objects as their fields. */
function plain(library, value) {
  if (value instanceof Uint8Array) return String(library.Digest.of(value));
  if (value instanceof library.Archive) return { data: plain(library, value.data) };
  if (value instanceof library.Version || value instanceof library.Report) return String(value);
  if (Array.isArray(value)) return value.map((each) => plain(library, each));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(library, each)]));
}
