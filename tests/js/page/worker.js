import * as work from "./work.js";

self.onmessage = async ({ data: { task, words } }) => {
  try {
    self.postMessage({ result: await work[task](...words) });
  } catch (error) {
    self.postMessage({ error: `${error} ${JSON.stringify(error)}` });
  }
};
