// Conversations with registries, replayed: tests/transcripts/*.jsonl.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { Artifact } from "../../bindings-wasm/js/node.js";
import { Exchange, Push, Session } from "../../bindings-wasm/js/node-sansio.js";
import { ROOT } from "./support.js";

const DIRECTORY = join(ROOT, "tests/transcripts");

async function begin(session, { verb, reference, version, chart, padding = 0, ...asked }) {
  const { source, target, referrers, upgrade, artifact_type: artifactType } = asked;
  switch (verb) {
    case "push": {
      const artifact = await Artifact.build(Buffer.concat([Buffer.from(chart, "base64"), Buffer.alloc(padding)]));
      return Exchange.push(session, Push.chart(artifact, target), {});
    }
    case "pull":
      return Exchange.pull(session, reference, { chart: true });
    case "resolve":
      return Exchange.resolve(session, reference, { version });
    case "copy":
      return Exchange.copy(session, source, target, { referrers, upgrade });
    case "referrers":
      return Exchange.referrers(session, reference, artifactType);
    default:
      return Exchange[verb](session, reference);
  }
}

const sessionOf = ({ concurrency, retry, has_credentials: hasCredentials } = {}) =>
  new Session({ concurrency, retry, hasCredentials, plainHttp: "loopback" });

/** An output as a transcript writes it. */
function shown(output) {
  switch (output.kind) {
    case "send": {
      const { id, method, url, headers, payload } = output.request;
      const sent = { id, method, url, headers: Object.fromEntries(headers) };
      if (payload.kind === "blob") sent.blob = [payload.blob, payload.start, payload.end];
      else sent.body = new TextDecoder().decode(payload.bytes ?? new Uint8Array(0));
      return { send: sent };
    }
    case "cancel":
      return { cancel: output.id };
    case "ask":
      return { ask: output.query };
    case "wait":
      return { wait: { until: output.until } };
    case "done":
      return { done: output.error ? { error: output.error.code } : { outcome: achieved(output.outcome) } };
  }
}

function achieved(outcome) {
  if (!Array.isArray(outcome)) return outcome;
  const named = outcome.map((item) => item.digest ?? item);
  return { tags: named, referrers: named };
}

/** All that is expected is there; null means that nothing is. */
function fits(expected, actual) {
  if (expected === null) return actual === undefined || actual === null;
  if (Array.isArray(expected)) return JSON.stringify(expected) === JSON.stringify(actual);
  if (typeof expected !== "object") return expected === actual;
  return Object.entries(expected).every(([name, value]) => fits(value, actual?.[name]));
}

function give(exchange, given) {
  if (given.credential !== undefined) {
    const { credential, username, password, identity, token } = given;
    const secret = identity ? { identityToken: identity } : token ? { token } : null;
    const known = username ? { username, password } : secret;
    return exchange.handleCredential(credential, known);
  }
  if (given.failure !== undefined) return exchange.handleFailure(given.failure, { kind: given.kind, message: "" });
  const { response, status, headers, body = "", base64, broken } = given;
  const receiver = exchange.handleResponse(response, { status, headers });
  receiver.write(base64 === undefined ? new TextEncoder().encode(body) : Buffer.from(base64, "base64"));
  if (broken) return exchange.handleFailure(response, { kind: broken, message: "" }, receiver);
  return exchange.handleEnd(response, receiver);
}

for (const name of readdirSync(DIRECTORY).filter((file) => file.endsWith(".jsonl"))) {
  test(`${name} is replayed to the letter`, async () => {
    let session, exchange;
    let why = "";
    const lines = readFileSync(join(DIRECTORY, name), "utf8").trimEnd().split("\n");
    for (const [index, text] of lines.entries()) {
      const line = JSON.parse(text);
      if (line.begin) {
        if (line.session !== "same") session = sessionOf(line.session);
        exchange = await begin(session, line.exchange);
        why = line.begin;
      } else if (line.give) {
        give(exchange, line.give);
      } else {
        let output;
        do output = exchange.poll(line.now);
        while (output.kind === "notify");
        const actual = shown(output);
        assert.ok(fits(line.expect, actual), `${name}:${index + 1}: ${why}: ${text}, got ${JSON.stringify(actual)}`);
      }
    }
  });
}
