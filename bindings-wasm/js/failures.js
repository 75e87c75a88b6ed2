/** What the platform's own errors are to the exchange. */

import { TransportFailure } from "./drive.js";

const CONNECT = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT", "EADDRNOTAVAIL"];
const RESET = ["ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE", "ABORT_ERR", "UND_ERR_SOCKET"];
const TIMEOUT = ["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"];
const TLS = /^(ERR_TLS_|ERR_SSL_|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|EPROTO$|HOSTNAME_MISMATCH)/;

/** By its code; `otherwise`: what it is without one that is known. */
export function failureOf(error, otherwise = "other") {
  const { code = "", message, reason } = error.errors?.[0] ?? error; // several addresses were tried
  if (CONNECT.includes(code)) return new TransportFailure("connect", message);
  if (RESET.includes(code)) return new TransportFailure("reset", message);
  if (TIMEOUT.includes(code)) return new TransportFailure("timeout", message);
  // OpenSSL's own line begins with the number of a thread.
  if (code.startsWith("ERR_SSL_")) return new TransportFailure("tls", reason ?? message);
  return new TransportFailure(TLS.test(code) ? "tls" : otherwise, message);
}
