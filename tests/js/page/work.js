import * as library from "/chartoci/web.js";
import { fetchTransport } from "/chartoci/fetch.js";
import { schema } from "/chartoci/schema.js";
import { Registry } from "/chartoci/testing.js";
import * as shared from "./offline.js";
import * as performed from "./perform.js";
import * as sending from "./send.js";
import * as timed from "./verdict.js";

const { Archive, Client, Reference, init } = library;

const text = (value) => (value instanceof Error ? `${value}` : JSON.stringify(value) ?? String(value));

const same = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);

/** A chart from a file into the registry in memory, and back. */
export async function roundTrip(file) {
  const archive = await Archive.read(file);
  const registry = new Registry();
  return { name: archive.metadata.name, files: archive.files.size, ...(await exchange(archive, registry.host, registry.fetch)) };
}

/** The same through a registry on the network. */
export async function through(file, host) {
  return exchange(await Archive.read(file), host, undefined);
}

/** What needs no registry at all. */
export const offline = (file) => shared.offline(library, schema, file);

/** Verbs of a client, as they come. */
export const perform = async (file, task) => {
  await init();
  return performed.perform(library, new Uint8Array(await file.arrayBuffer()), { ...task, show: text });
};

/** Requests one after the other, by the transport of pages. */
export async function send(file, requests) {
  const transport = fetchTransport({ browser: true });
  const seen = [];
  for (const request of requests) seen.push(await sending.send(transport, request));
  return seen;
}

/** How long the verdict on a chart takes. */
export const verdict = (file) => timed.verdict(library.check, file);

async function exchange(archive, host, fetch) {
  await init();
  const client = new Client({ fetch, plainHttp: true });
  const { digest, reference } = await client.push(archive, `oci://${host}/charts`);
  const pulled = await client.pull(Reference.parse(reference));
  const { name } = await client.metadata(reference);
  const versions = (await client.versions(`oci://${host}/charts/${name}`)).map(String);
  return { digest, versions, came: same(pulled.archive, archive.data) };
}
