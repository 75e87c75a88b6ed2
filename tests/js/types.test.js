// The types against the library: what they say is there, nothing else is, and each thing says what it is for.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import * as node from "../../bindings-wasm/js/node.js";
import * as sansio from "../../bindings-wasm/js/node-sansio.js";
import * as testing from "../../bindings-wasm/js/node-testing.js";
import * as schema from "../../bindings-wasm/js/node-schema.js";
import { PACKAGE, temporary } from "./support.js";

const typescript = createRequire(join(PACKAGE, "package.json"))("typescript");
const { SyntaxKind } = typescript;

/** What a file of types exports: by name, the declaration and whether it is a value. */
function declared(file) {
  const text = readFileSync(join(PACKAGE, file), "utf8");
  const source = typescript.createSourceFile(file, text, typescript.ScriptTarget.Latest, true);
  const found = new Map();
  for (const statement of source.statements) {
    const names = statement.exportClause?.elements?.map((element) => [element.name.text, element.propertyName?.text]) ?? [];
    for (const [name, own] of names) found.set(name, source.statements.find((each) => each.name?.text === own));
    if (!statement.modifiers?.some(({ kind }) => kind === SyntaxKind.ExportKeyword)) continue;
    for (const each of statement.declarationList?.declarations ?? [statement]) found.set(each.name.text, each);
  }
  return found;
}

const isType = ({ kind }) => [SyntaxKind.InterfaceDeclaration, SyntaxKind.TypeAliasDeclaration].includes(kind);
const isStatic = ({ modifiers }) => modifiers?.some(({ kind }) => kind === SyntaxKind.StaticKeyword) ?? false;
const isMethod = ({ kind }) => kind === SyntaxKind.MethodDeclaration;
const isTold = (node) => typescript.getJSDocCommentsAndTags(node).length > 0;

/** Methods and getters of a class. */
const namesOf = (object) => Object.getOwnPropertyNames(object).filter((name) => typeof name === "string");

// `toString` says nothing new; wasm-bindgen's own are nobody's business.
const UNTOLD = ["constructor", "toString", "length", "name", "prototype", "free", "__wrap", "__destroy_into_raw"];

const MODULES = { "index.d.ts": node, "sansio.d.ts": sansio, "testing.d.ts": testing, "schema.d.ts": schema };
for (const [file, library] of Object.entries(MODULES)) {
  test(`${file} names what there is`, () => {
    const values = [...declared(file)].filter(([, node]) => node && !isType(node));
    const given = Object.keys(library).filter((name) => name !== "initSync");
    const missing = values.map(([name]) => name).filter((name) => !given.includes(name));
    assert.deepEqual(file === "testing.d.ts" ? missing.filter((name) => name !== "init") : missing, []);
    assert.deepEqual(given.filter((name) => !values.some(([own]) => own === name)), []);
    for (const [name, declaration] of values) {
      if (declaration.kind !== SyntaxKind.ClassDeclaration) continue;
      const members = declaration.members.filter(({ name }) => name?.text).map((member) => [member.name.text, member]);
      const own = library[name];
      for (const [where, statics] of [[own.prototype, false], [own, true]]) {
        const names = members.filter(([, member]) => isStatic(member) === statics);
        const there = namesOf(where).filter((each) => !UNTOLD.includes(each));
        const inherited = (each) => each in where;
        assert.deepEqual(there.filter((each) => !names.some(([told]) => told === each)), [], `${name} has more`);
        const methods = names.filter(([, member]) => isMethod(member)).map(([told]) => told);
        assert.deepEqual(methods.filter((each) => !inherited(each)), [], `${name} has less`);
      }
    }
  });
}

test("every class, function and verb says what it is for", () => {
  const silent = [];
  for (const [file] of Object.entries(MODULES)) {
    for (const [name, node] of declared(file)) {
      if (!isTold(node)) silent.push(`${file}: ${name}`);
      if (name !== "Client") continue;
      const verbs = new Map();
      for (const member of node.members.filter(isMethod)) {
        verbs.set(member.name.text, verbs.get(member.name.text) || isTold(member));
      }
      for (const [verb, told] of verbs) if (!told) silent.push(`${name}.${verb}`);
    }
  }
  assert.deepEqual(silent, []);
});

test("every class and function has an example, and it runs", async (t) => {
  const directory = temporary(t);
  mkdirSync(join(directory, "node_modules"));
  symlinkSync(PACKAGE, join(directory, "node_modules/chartoci"), "junction");
  const files = { "templates/service.yaml": "kind: Service\n", "values.yaml": "replicas: 2\n" };
  files["Chart.yaml"] = "apiVersion: v2\nname: web\nversion: 1.0.0\n";
  await (await node.package(files)).write(directory);
  mkdirSync(join(directory, "web/templates"), { recursive: true });
  for (const [path, content] of Object.entries(files)) writeFileSync(join(directory, "web", path), content);
  const before = process.cwd();
  process.chdir(directory);
  t.after(() => process.chdir(before));
  for (const [name, declaration] of declared("index.d.ts")) {
    if (!declaration || isType(declaration)) continue;
    const told = typescript.getJSDocCommentsAndTags(declaration).map((each) => each.getText()).join("\n");
    const [, example] = told.match(/```js\n([^]*?)```/) ?? [];
    assert(example, `${name} has no example`);
    const file = join(directory, `${name}.mjs`);
    writeFileSync(file, `import assert from "node:assert/strict";\n${example.replace(/^ ?\* ?/gm, "")}`);
    await t.test(name, () => import(pathToFileURL(file)));
  }
});
