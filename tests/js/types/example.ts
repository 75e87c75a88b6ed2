// What a program in TypeScript looks like; `tsc --strict` reads it, nobody runs it.

import {
  Archive,
  Artifact,
  ChartOciError,
  Client,
  Constraint,
  Reference,
  Report,
  Version,
  check,
  codes,
  package as packageDirectory,
  show,
  type Event,
  type Kind,
  type Value,
} from "chartoci";
import { schema, type Violation } from "chartoci/schema";
import { Digester, Exchange, Push, Session, drive, type Output } from "chartoci/sansio";
import { Registry } from "chartoci/testing";

export async function publish(file: File, signal: AbortSignal): Promise<string> {
  const registry = new Registry({ username: "ada", password: "secret", token: true, corsOrigins: ["https://a.example"] });
  const client = new Client({
    fetch: registry.fetch,
    plainHttp: [registry.host],
    credentials: async ({ registry: host, refused }) => (refused ? null : [host, "secret"]),
    retry: { attempts: 2 },
    limits: { archive: 1 << 20 },
    allow: (host, ip, port) => host !== "" && ip !== "169.254.169.254" && port > 0,
  });
  const onProgress = (event: Event): void => {
    if (event.kind === "progress") console.log(event.item, event.transferred / (event.total ?? 1));
    else if (event.kind === "retrying") console.log(event.after, event.why);
  };
  const copied = await client.copy("a.example/web:1", Reference.parse("b.example/web:1"), { upgrade: true, referrers: true });
  const referrers = await client.referrers(`b.example/web@${copied.digest}`, { artifactType: "text/plain" });
  const deleted = await client.delete(copied.reference, { signal });
  console.log(referrers[0]?.annotations["a"], deleted.digest ?? copied.blobs[0]?.state);
  const found = await check(file, "chart");
  console.log(found.toSarif(), found.toText({ color: true }), found.fixed("Chart.yaml").length, [...found][0]?.related[0]?.line);
  const archive = await Archive.read(file);
  const text: Uint8Array | undefined = archive.files["values.yaml"];
  const same: Uint8Array | undefined = archive.files.get("values.yaml");
  const replicas: Value | undefined = archive.values["replicas"];
  console.log(text?.length, same?.length, replicas, archive.files.size);
  const pushed = await client.push(archive, "oci://registry.test/charts", { signal, onProgress, ifExists: "skip-same" });
  const bytes: Uint8Array = (await client.pull(pushed.reference, { provenance: true })).archive;
  const path: string = (await client.pull(Reference.parse(pushed.reference), { directory: "/tmp", untar: true })).path;
  await client.push(archive, Reference.parse("registry.test/charts"));
  await client.resolve("registry.test/charts/web", { version: Constraint.parse("^1") });
  const versions: Version[] = await client.versions("oci://registry.test/charts/web", Constraint.parse("^1"));
  const best: Version | undefined = Constraint.parse("*").pick(versions.sort(Version.compare));
  console.log(bytes.length, path, best?.tag, await show(archive, "chart"), codes()[0]?.meaning);
  await packageDirectory({ "Chart.yaml": "name: web", "values.yaml": bytes });
  await packageDirectory(new Map([["Chart.yaml", bytes]]));
  console.log((await packageDirectory(archive.files)).digest, archive.provenance?.length, codes()[0]?.example);
  await packageDirectory("web", { created: new Date(), version: "1.0.0" });
  return pushed.digest;
}

export async function whoAmI(): Promise<string | undefined> {
  const client = new Client({ registryConfig: "/tmp/config.json" });
  const { path, helper, checked } = await client.login("registry.example", "ada", "secret", { timeout: 5 });
  const { source, username, asked } = await client.explainCredentials("registry.example/web");
  console.log(path, helper, checked, source, asked[0]?.entry, (await client.logout("registry.example")).removed);
  return username;
}

export async function lint(source: Blob): Promise<Report | Kind> {
  try {
    return await check(source, "chart.yaml");
  } catch (error) {
    if (error instanceof ChartOciError) return ChartOciError.from(error.toJSON()).kind;
    throw error;
  }
}

export async function tags(): Promise<unknown> {
  const exchange = Exchange.tags(new Session({ concurrency: 1 }), "registry.example/web");
  const output: Output = exchange.poll(0);
  if (output.kind === "send") console.log(output.request.payload.kind, new Digester("sha512").finish());
  return drive(exchange, { transport: { send: async () => ({ status: 404, headers: [], body: (async function* () {})() }) } });
}

export function pushing(session: Session, artifact: Artifact): Exchange[] {
  const push = Push.chart(artifact, "oci://registry.example/charts");
  const machines = [Exchange.push(session, push, { ifExists: "refuse" }), Exchange.delete(session, push.target)];
  machines.push(Exchange.copy(session, push.target, "b.example/web:1", {}), Exchange.referrers(session, push.target));
  return machines;
}

// @ts-expect-error: only the library makes archives.
new Archive();
// @ts-expect-error: there is no such section.
await show(new Uint8Array(), "nothing");

const judged: Report = await check("web-1.2.0.tgz", "chart", { schema });
const violations: Violation[] = await schema.validate(new Uint8Array(), new Uint8Array());
console.log(judged.ok, violations.map(({ pointer, message }) => `${pointer}: ${message}`));
