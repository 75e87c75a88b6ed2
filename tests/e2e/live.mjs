// One behaviour, asked of a registry from Node or from a page in Chromium: `node live.mjs TASK`, where TASK is JSON; prints
// what came of it.

import { readFileSync } from "node:fs";

import { Client } from "../../bindings-wasm/js/node.js";
import { launch, pinned, serve } from "../js/browser.js";
import { live } from "../js/page/live.js";

const task = JSON.parse(process.argv[2]);
const [username, password] = task.credentials ?? [];
const credentials = task.credentials ? { username, password } : null;
const charts = task.charts.map((path) => readFileSync(path));

async function inNode() {
  const client = new Client({ credentials, ...(task.ca ? { caFile: task.ca } : {}) });
  const seen = await live(client, task, charts);
  client.close();
  return seen;
}

async function inChromium() {
  const site = await serve("*", task.port);
  const browser = await launch(task.certificate ? pinned(task.certificate) : []);
  try {
    const page = await browser.open(`${site.origin}/`);
    const options = { credentials, plainHttp: task.certificate ? false : "loopback" };
    const given = [{ ...task, options }, charts.map((chart) => chart.toString("base64"))];
    return await page.evaluate(`tasks.live(${given.map((each) => JSON.stringify(each)).join()})`);
  } finally {
    await browser.close();
    site.close();
  }
}

console.log(JSON.stringify(await (task.driver === "chromium" ? inChromium() : inNode())));
