/**
 * What a close code asks of a client, as the server documents it.
 *
 * - `again`: come back soon. - `later`: come back, but not at once.
 * - `fresh_token`: come back with a new credential.
 * - `never`: a mistake that another WebSocket would repeat.
 */
export type CloseAdvice = "again" | "later" | "fresh_token" | "never";

const advice: Readonly<Record<number, CloseAdvice>> = {
  1001: "again",
  1002: "never",
  1009: "never",
  1013: "later",
  4400: "never",
  4401: "fresh_token",
  4403: "fresh_token",
  4406: "never",
  4408: "again",
  4409: "never",
  4429: "never",
};

/** Codes that are not the server's own (1006 above all) come from the network: `again`. */
export function adviceFor(code: number): CloseAdvice {
  return advice[code] ?? "again";
}
