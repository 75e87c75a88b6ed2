/** Proxies: which one is responsible for a URL, and the way through it. */

import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import tls from "node:tls";

import { exchange, failure } from "./core.js";
import { TransportFailure } from "./drive.js";
import { text, written } from "./given.js";

/** The proxy for a URL, if any: `given` is a proxy's URL, false for none, or undefined for what the environment says. */
export function proxyFor(url, given) {
  if (given === false) return undefined;
  const named = given === undefined ? undefined : proxyOf(given).href;
  const variables = named === undefined ? process.env : { HTTPS_PROXY: named, HTTP_PROXY: named };
  const proxy = exchange().proxy(url.href, variables);
  return proxy === undefined ? undefined : proxyOf(proxy);
}

/** A proxy's URL; `http://` need not be written. */
export function proxyOf(value) {
  const given = text(written(value), "proxy");
  const url = given.includes("://") ? given : `http://${given}`;
  // What is no URL is not shown: it may hold a password.
  if (!URL.canParse(url)) throw failure("misuse.argument", "proxy: what is given is no URL");
  return new URL(url);
}

/** The header that shows the proxy who is calling. */
export function proxyAuthorization(proxy) {
  if (!proxy.username) return [];
  const secret = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return ["proxy-authorization", `Basic ${Buffer.from(secret).toString("base64")}`];
}

/** An agent whose connections lead through the proxy's tunnel. */
export class TunnelAgent extends https.Agent {
  #proxy;

  constructor(proxy, options) {
    super(options);
    this.#proxy = proxy;
  }

  createConnection(options, connected) {
    this.#tunnel(options).then((socket) => connected(null, socket), connected);
  }

  async #tunnel(options) {
    const authority = `${net.isIPv6(options.host) ? `[${options.host}]` : options.host}:${options.port}`;
    const request = (this.#proxy.protocol === "https:" ? https : http).request(this.#proxy, {
      method: "CONNECT",
      path: authority,
      headers: ["host", authority, ...proxyAuthorization(this.#proxy)],
      signal: options.ending, // an agent is not told of the request's own signal
    });
    request.end();
    const [response, socket] = await once(request, "connect");
    if (response.statusCode !== 200) {
      socket.destroy();
      throw new TransportFailure("proxy", `${response.statusCode} ${this.#proxy.host}`);
    }
    const servername = net.isIP(options.host) ? undefined : options.host;
    return tls.connect({ ...options, socket, servername });
  }
}
