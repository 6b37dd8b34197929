/** What went wrong, with the server's stable code or one of this client's own. */
export class BongsuError extends Error {
  override readonly name = "BongsuError";

  /**
   * @param code the server's code, `CLOSED_<number>` for a close code, or `NETWORK`, `TIMEOUT`,
   *   `BAD_ANSWER`, `TOKEN`, `HANDLER`, `STORE`, `OVERFLOW`, `NO_WEBSOCKET`.
   * @param retryAfterMs how long the server asks to wait.
   */
  constructor(
    readonly code: string,
    message: string,
    readonly retryAfterMs?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** The credential is not good (any more); a fresh one may be. */
  get wantsFreshToken(): boolean {
    return this.code === "UNAUTHENTICATED" || this.code === "KEY_REVOKED" || this.code === "CLOSED_4401" || this.code === "CLOSED_4403";
  }
}

/** What code of the app's threw, whatever it is. */
export function appError(thrown: unknown, code: "HANDLER" | "STORE" | "TOKEN"): BongsuError {
  return new BongsuError(code, thrown instanceof Error ? thrown.message : String(thrown), undefined, { cause: thrown });
}

/** An error of this module from whatever was thrown. */
export function asError(thrown: unknown, code: string): BongsuError {
  if (thrown instanceof BongsuError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new BongsuError(code, message, undefined, { cause: thrown });
}
