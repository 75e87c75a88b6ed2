// How long `check` takes for a packed chart once the module is warm: `node verdict.mjs CHART.tgz`.

import { readFileSync } from "node:fs";

import { check } from "../../bindings-wasm/js/node.js";

const data = readFileSync(process.argv[2]);
const times = [];
for (let round = 0; round < 12; round++) {
  const begin = performance.now();
  await check(data);
  times.push(performance.now() - begin);
}
const warm = times.slice(4).sort((a, b) => a - b);
console.log(JSON.stringify({ first: times[0], milliseconds: warm[warm.length >> 1] }));
