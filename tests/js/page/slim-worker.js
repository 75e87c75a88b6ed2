// A worker that brings the modules itself: a browser's fetch is known there, too, where there is no document.

import { Client, init } from "/chartoci/slim.js";

const module = (name) => WebAssembly.compileStreaming(fetch(`/chartoci/dist/${name}_bg.wasm`));

self.onmessage = async ({ data: { reference, options } }) => {
  try {
    await init(await module("chartoci"), { exchange: await module("exchange") });
    self.postMessage({ result: await new Client(options).tags(reference) });
  } catch (error) {
    self.postMessage({ error: `${error} ${JSON.stringify(error)}` });
  }
};
