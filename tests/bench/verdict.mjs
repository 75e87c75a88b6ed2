// How long `check` takes for a packed chart once the module is warm, in Node and, where there is one, in Chromium:
// `node verdict.mjs CHART.tgz` prints both, in milliseconds.

import { readFileSync } from "node:fs";

import { check } from "../../bindings-wasm/js/node.js";
import { chromium, launch, serve } from "../js/browser.js";
import { verdict } from "../js/page/verdict.js";

async function inChromium(path) {
  const server = await serve("'self'");
  const browser = await launch();
  try {
    const page = await browser.open(`${server.origin}/`);
    await page.choose("input", path);
    return await page.evaluate("tasks.page.verdict()");
  } finally {
    await browser.close();
    server.close();
  }
}

const [, , path] = process.argv;
const node = await verdict(check, readFileSync(path));
console.log(JSON.stringify({ node, ...(chromium ? { chromium: await inChromium(path) } : {}) }));
