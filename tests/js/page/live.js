/** One behaviour, asked of a registry: what Python's drivers do in `test_live.py`, by whichever client is given. */
export async function live(client, { host, driver }, charts) {
  const target = `oci://${host}/live/${driver}`;
  const repository = `${target}/typical`;
  const pushed = [];
  for (const chart of charts) pushed.push(await client.push(chart, target));
  const again = await client.push(charts[0], target);
  const archive = await client.open(`${repository}:1.0.0`);
  const missing = await client.open(`${repository}:9.9.9`).catch((error) => error);
  const opened = await crypto.subtle.digest("SHA-256", archive.data);
  return {
    digests: pushed.map((each) => each.digest),
    again: [again.digest, again.blobs.filter((blob) => blob.state === "uploaded").length],
    tags: (await client.tags(repository)).sort(),
    versions: (await client.versions(repository)).map(String),
    resolved: (await client.resolve(repository, { version: "^1.0" })).digest,
    opened: [...new Uint8Array(opened)].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
    name: (await client.metadata(`${repository}:1.0.0`)).name,
    missing: missing.kind,
  };
}
