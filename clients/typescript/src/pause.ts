import type { Clock } from "./clock.js";

/** A wait that can be cut short. */
export class Pause {
  private cut: (() => void) | null = null;

  constructor(private readonly clock: Clock) {}

  async wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.clock.after(ms, resolve);
      this.cut = () => {
        cancel();
        resolve();
      };
    });
    this.cut = null;
  }

  end(): void {
    this.cut?.();
  }
}
