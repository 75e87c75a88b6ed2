/** What needs no registry, by whichever library is given: a page does all of it with what its own server has. */
export async function offline(library, schema, file) {
  const { Archive, Ignore, Lock, check, codes, init, package: pack, show } = library;
  await init();
  const found = async (...words) => [...(await check(...words))].map(({ code, pointer }) => [code, pointer]);
  const archive = await Archive.read(file);
  const again = await pack(archive.files, { created: "2026-01-01T00:00:00Z" });
  const unfit = await pack({
    "Chart.yaml": "apiVersion: v2\nname: unfit\nversion: 1.0.0\n",
    "values.yaml": "replicas: many\n",
    "values.schema.json": '{"properties": {"replicas": {"type": "integer"}}}',
  });
  const lock = Lock.parse("dependencies:\n- {name: a, version: 1.0.0, repository: ''}\ndigest: sha256:x\n");
  const refused = await pack({ "../Chart.yaml": "name: x" }).catch(({ code }) => code);
  return {
    files: [...archive.files.keys()],
    shown: await show(file),
    found: await found(file),
    packed: [again.filename, again.digest, again.metadata.toYaml()],
    unfit: await found(unfit.data, "chart", { schema }),
    withoutSchema: await found(unfit.data, "chart"),
    locked: [lock.dependencies[0].name, Lock.digestFor([{ name: "a", version: "^1" }], lock.dependencies)],
    ignored: ["notes.txt", "notes.md"].map((path) => Ignore.parse("*.txt").matches(path)),
    codes: codes().map(({ code, example }) => [code, example]),
    refused,
  };
}
