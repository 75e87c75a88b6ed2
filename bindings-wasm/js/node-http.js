/** The transport of Node: node:http and node:https, since fetch knows no CA file, no client certificate, no proxy. */

import { X509Certificate } from "node:crypto";
import dns from "node:dns";
import { existsSync, readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { setImmediate as immediate } from "node:timers/promises";
import { createSecureContext } from "node:tls";

import { pathOf } from "./blobs.js";
import { failure as told } from "./core.js";
import { Thrown, TransportFailure } from "./drive.js";
import { ChartOciError } from "./errors.js";
import { failureOf } from "./failures.js";
import { unpacked } from "./fetch.js";
import { explained } from "./files-node.js";
import { TunnelAgent, proxyAuthorization, proxyFor, proxyOf } from "./node-proxy.js";

const PIECE = 256 * 1024;
// Milliseconds that an answer's head may take in all, or the silence that is allowed if that is longer: what drips is never
// silent.
const HEAD_PATIENCE = 30_000;
const CLOSED = ["ECONNRESET", "EPIPE"];

/**
 * `permit(url, ip)` is asked before every connection, after the name was resolved; where a proxy resolves it, without an
 * address.
 */
export function nodeTransport({ caFile, certFile, keyFile, proxy: given, permit, headPatience = HEAD_PATIENCE }) {
  const tls = { ca: read(caFile) ?? environmentsAuthorities(), cert: read(certFile), key: read(keyFile ?? certFile) };
  try {
    // Node takes what is no certificate for an empty list of authorities.
    if (caFile) new X509Certificate(tls.ca);
    if (certFile) createSecureContext(tls);
  } catch (error) {
    const named = [caFile, certFile, keyFile].filter((path) => path !== undefined).join(" and ");
    throw told("misuse.argument", `${named}: PEM is wanted, the key without a password: ${error.message}`);
  }
  if (given !== undefined && given !== false) proxyOf(given);
  const pool = { keepAlive: true, scheduling: "lifo" };
  const agents = { "http:": new http.Agent(pool), "https:": new https.Agent({ ...pool, ...tls }) };
  const tunnels = new Map();
  const tunnel = (proxy) => {
    if (!tunnels.has(proxy.href)) tunnels.set(proxy.href, new TunnelAgent(proxy, { ...pool, ...tls }));
    return tunnels.get(proxy.href);
  };

  const send = async ({ method, url, headers, payload, body, timeout, thinking, signal, onSent }) => {
    // What became of a part of a blob, or of a deletion, only the core can tell; all else may be sent twice.
    const mayRepeat = !["DELETE", "PATCH"].includes(method) && payload?.kind !== "blob";
    // A connection that the peer has closed meanwhile is known by then.
    if (!mayRepeat) await immediate();
    const target = new URL(url);
    const host = target.hostname.replace(/^\[|\]$/g, "");
    const proxy = proxyFor(target, given);
    const ip = net.isIP(host) ? host : undefined;
    if (permit && (proxy || ip) && !(await permit(target, ip))) throw new TransportFailure("forbidden", target.host);
    const fields = unpacked(headers).flat();
    fields.push("host", target.host);
    if (body || !["GET", "HEAD", "DELETE"].includes(method)) fields.push("content-length", String(body?.length ?? 0));
    const secure = target.protocol === "https:";
    // A proxy is asked for plain http by the whole URL, for https by a tunnel.
    const plain = proxy && !secure && { path: url, headers: [...fields, ...proxyAuthorization(proxy)] };
    const place = plain ? proxy : target;
    const unconnected = new AbortController();
    const ending = AbortSignal.any([signal, unconnected.signal]);
    let latest;
    const attempt = (isSecond) => new Promise((resolve, reject) => {
      const request = (place.protocol === "https:" ? https : http).request(place, {
        method,
        headers: fields,
        agent: proxy && secure ? tunnel(proxy) : agents[place.protocol],
        lookup: permit && !proxy ? lookup(permit, target) : undefined,
        signal: ending,
        ending,
        ...plain,
      });
      latest = request;
      let isAnswered = false;
      let waiting;
      request.on("response", (response) => {
        isAnswered = true;
        clearTimeout(waiting);
        resolve(response);
      });
      request.on("error", (error) => {
        // What stood was closed by the peer before anything came of it: that is no try.
        const isStale = request.reusedSocket && !isAnswered && CLOSED.includes(error.code) && !ending.aborted;
        if (isStale && !isSecond && mayRepeat) resolve(attempt(true));
        else reject(failure(error));
      });
      const silent = new TransportFailure("timeout", "no answer");
      request.setTimeout(timeout ?? 0, () => request.destroy(silent));
      // Node counts from a connection on: until there is one, through a proxy perhaps, nobody does.
      const giveUp = () => {
        reject(silent);
        unconnected.abort();
      };
      if (timeout !== undefined) waiting = setTimeout(giveUp, timeout);
      const connected = () => clearTimeout(waiting);
      request.on("socket", (socket) => (socket.connecting ? socket.once("connect", connected) : connected()));
      request.on("close", connected);
      // A registry may think long about a blob before it answers.
      request.on("finish", () => {
        if (isAnswered) return;
        request.setTimeout(thinking ?? 0);
        if (thinking !== undefined) waiting = setTimeout(() => request.destroy(silent), Math.max(headPatience, thinking));
      });
      write(request, body, onSent);
    });
    const response = await attempt(false);
    return {
      status: response.statusCode,
      headers: pairs(response.rawHeaders),
      body: chunks(latest, response, timeout),
    };
  };

  const close = () => [...Object.values(agents), ...tunnels.values()].forEach((agent) => agent.destroy());
  return { send, close, traits: { manualRedirects: true, allHeaders: true, streams: true } };
}

function read(path) {
  try {
    return path === undefined || path === null ? undefined : readFileSync(pathOf(path));
  } catch (error) {
    throw explained(error, path);
  }
}

/** What SSL_CERT_FILE names is believed in place of Node's own list, as OpenSSL and Go have it. */
function environmentsAuthorities() {
  const path = process.env.SSL_CERT_FILE;
  return path && existsSync(path) ? readFileSync(path) : undefined;
}

/** Writes piece by piece, so that progress is what the socket took, not what was queued. */
function write(request, body, onSent) {
  if (body?.[Symbol.asyncIterator]) return flow(request, body, onSent).catch((error) => request.destroy(error));
  let offset = 0;
  const next = () => {
    if (request.destroyed) return;
    if (offset > 0) onSent(offset);
    if (offset >= (body?.length ?? 0)) return request.end();
    const piece = body.subarray(offset, offset + PIECE);
    offset += piece.length;
    if (offset >= body.length) request.end(piece, () => onSent(offset));
    else request.write(piece, next);
  };
  next();
}

/** The body comes from elsewhere, piece by piece. */
async function flow(request, body, onSent) {
  let offset = 0;
  for await (const piece of body) {
    if (request.destroyed) return;
    await new Promise((resolve) => {
      request.once("close", resolve);
      request.write(piece, () => {
        request.off("close", resolve);
        resolve();
      });
    });
    offset += piece.length;
    onSent(offset);
  }
  request.end();
}

async function* chunks(request, response, timeout) {
  request.setTimeout(timeout ?? 0, () => response.destroy(new TransportFailure("timeout", "no answer")));
  try {
    yield* response;
  } catch (error) {
    throw failure(error);
  }
}

function lookup(permit, target) {
  return (name, options, callback) => {
    dns.lookup(name, { ...options, all: true }, async (error, addresses) => {
      if (error) return callback(error);
      const allowed = [];
      try {
        for (const one of addresses) if (await permit(target, one.address)) allowed.push(one);
        if (allowed.length === 0) throw new TransportFailure("forbidden", target.host);
      } catch (refusal) {
        return callback(refusal);
      }
      if (options.all) callback(null, allowed);
      else callback(null, allowed[0].address, allowed[0].family);
    });
  };
}

function pairs(raw) {
  const list = [];
  for (let at = 0; at + 1 < raw.length; at += 2) list.push([raw[at], raw[at + 1]]);
  return list;
}

const failure = (error) =>
  [TransportFailure, ChartOciError, Thrown].some((kind) => error instanceof kind) ? error : failureOf(error);
