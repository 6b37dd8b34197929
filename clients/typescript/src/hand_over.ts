import type { FeedItem } from "./types.js";

/**
 * Items by asynchronous iteration. Asking for the next one says that the last one is done with;
 * leaving the loop does not, so that one comes again at the next start.
 */
export class HandOver implements AsyncIterableIterator<FeedItem> {
  private offered: { item: FeedItem; done: () => void; lost: (reason: Error) => void } | null = null;
  private taken = false;
  private asking: ((result: IteratorResult<FeedItem>) => void) | null = null;
  private ended: Error | true | null = null;
  private failing: ((reason: Error) => void) | null = null;

  constructor(private readonly onLeave: () => void) {}

  /** The app's end has an item in hand. */
  get busy(): boolean {
    return this.taken;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Offers an item; answers when the app is done with it. */
  give(item: FeedItem): Promise<void> {
    return new Promise((done, lost) => {
      if (this.ended) {
        lost(new Error("The loop was left."));
        return;
      }
      this.offered = { item, done, lost };
      this.pass();
    });
  }

  next(): Promise<IteratorResult<FeedItem>> {
    if (this.taken) {
      this.taken = false;
      const done = this.offered?.done;
      this.offered = null;
      done?.();
    }
    return new Promise((resolve, reject) => {
      this.asking = resolve;
      this.failing = reject;
      this.pass();
    });
  }

  return(): Promise<IteratorResult<FeedItem>> {
    this.end(true);
    this.drop();
    this.onLeave();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** No more items; what the app has in hand may still be finished. */
  end(reason: Error | true): void {
    this.ended ??= reason;
    if (!this.taken) this.drop();
    this.pass();
  }

  private drop(): void {
    this.taken = false;
    this.offered?.lost(new Error("The loop was left."));
    this.offered = null;
  }

  private pass(): void {
    if (!this.asking) return;
    if (this.offered && !this.taken) {
      this.taken = true;
      this.asking({ done: false, value: this.offered.item });
    } else if (this.ended === true) {
      this.asking({ done: true, value: undefined });
    } else if (this.ended) {
      this.failing?.(this.ended);
    } else {
      return;
    }
    this.asking = null;
    this.failing = null;
  }
}
