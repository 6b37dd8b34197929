import type { Clock } from "./clock.js";

export interface BackoffSettings {
  /** The first wait is about this long. */
  firstMs: number;
  /** No wait is longer, unless the server asks for it. */
  mostMs: number;
}

/** Exponential waits with jitter: the n-th is between half of and the whole of `first * 2^n`. */
export class Backoff {
  private tries = 0;

  constructor(
    private readonly settings: BackoffSettings,
    private readonly clock: Clock,
  ) {}

  /** The next wait in milliseconds; at least `least`, plus jitter, where that is longer. */
  next(least = 0): number {
    const whole = Math.min(this.settings.mostMs, this.settings.firstMs * 2 ** Math.min(this.tries, 30));
    this.tries += 1;
    return Math.max(whole / 2, least) + (whole / 2) * this.clock.random();
  }

  reset(): void {
    this.tries = 0;
  }
}
