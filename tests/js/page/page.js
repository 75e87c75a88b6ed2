// What the test calls, as functions of the window: on the page itself, and in a worker.

import { Client } from "/chartoci/web.js";
import * as shared from "./live.js";
import * as work from "./work.js";

const worker = new Worker("worker.js", { type: "module" });

function ask(worker, message) {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.result));
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(message);
  });
}

const inWorker = (task, ...words) => ask(worker, { task, words });

/** Tags, by a worker with modules of its own. */
const inSlimWorker = (task) => ask(new Worker("slim-worker.js", { type: "module" }), task);

const file = () => document.querySelector("input").files[0];

/** What comes of the attempt to make code from text. */
function codeFromText() {
  try {
    return String(new Function("return 1")());
  } catch (error) {
    return String(error);
  }
}

/** What every driver does with a registry. */
function live({ options, ...task }, charts) {
  const bytes = charts.map((text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
  return shared.live(new Client(options), task, bytes);
}

window.tasks = {
  codeFromText,
  live,
  inSlimWorker,
  reaches: (url) => fetch(url, { mode: "no-cors" }).then(() => true, () => false),
  page: Object.fromEntries(Object.entries(work).map(([name, task]) => [name, (...words) => task(file(), ...words)])),
  worker: Object.fromEntries(Object.keys(work).map((name) => [name, (...words) => inWorker(name, file(), ...words)])),
};
