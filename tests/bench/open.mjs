// How fast the module that pages load opens an archive, in unpacked bytes a second: `node open.mjs CHART.tgz` prints GB/s,
// beside what the platform's DecompressionStream makes of the same bytes, which only inflates, and the ratio of both.

import { readFileSync } from "node:fs";

import { Archive, init } from "../../bindings-wasm/js/slim.js";

await init(readFileSync(new URL("../../bindings-wasm/js/dist/chartoci_bg.wasm", import.meta.url)));
const ROUNDS = 5;
const data = readFileSync(process.argv[2]);

/** The best of some rounds, in seconds. */
async function best(action) {
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now();
    await action();
    least = Math.min(least, (performance.now() - begin) / 1000);
  }
  return least;
}

let unpacked;
const ours = await best(async () => {
  const archive = await Archive.read(data);
  unpacked = archive.unpacked;
  archive.free();
});
let inflated;
const theirs = await best(async () => {
  inflated = 0;
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("gzip"));
  for await (const chunk of stream) inflated += chunk.length;
});
const [speed, theirSpeed] = [unpacked / ours / 1e9, inflated / theirs / 1e9];
console.log(`${speed.toFixed(3)} GB/s; DecompressionStream alone ${theirSpeed.toFixed(3)}; ${(speed / theirSpeed).toFixed(1)} times`);
