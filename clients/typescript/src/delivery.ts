import type { CursorStore } from "./cursor_store.js";
import { Duplicates } from "./duplicates.js";
import { appError, type BongsuError } from "./errors.js";
import type { Arrived, Cursor, FeedItem } from "./types.js";

export interface DeliveryOptions {
  store: CursorStore;
  remember: number;
  /** The app's handler. */
  give: (item: FeedItem) => Promise<void> | void;
  onError: (error: BongsuError) => void;
}

/**
 * Hands items to the app, one at a time, and keeps how far it has come.
 *
 * Guarantee: the cursor is kept only once the app's handler has returned. Only notifications move
 * it: marks come live only, and may lie before what was given already.
 */
export class Delivery {
  private readonly ids: Duplicates;
  private at: Cursor | null = null;
  private newest: Cursor | null = null;
  private inHand: string | null = null;
  private loaded: Promise<void> | null = null;
  private saving: Promise<void> = Promise.resolve();

  constructor(private readonly options: DeliveryOptions) {
    this.ids = new Duplicates(options.remember);
  }

  /** What to go on from. */
  get cursor(): Cursor | null {
    return this.at;
  }

  /** The place of the last item that came, for reading as much as was shown. */
  get latest(): Cursor | null {
    return this.newest;
  }

  /** Takes over what the store has; once. */
  load(): Promise<void> {
    this.loaded ??= this.restore().catch((thrown: unknown) => {
      this.loaded = null;
      throw appError(thrown, "STORE");
    });
    return this.loaded;
  }

  private async restore(): Promise<void> {
    const saved = await this.options.store.load();
    if (!saved) return;
    this.at = saved.cursor;
    this.ids.restore(saved.given, saved.pushed);
  }

  /** Begins here, where nothing was kept. */
  async begin(cursor: Cursor): Promise<void> {
    this.at = cursor;
    await this.save();
  }

  /** The app's own writes count as shown. */
  wrote(position: Cursor): void {
    this.newest = position;
  }

  /** Gives an item to the app. Throws what its handler throws; the same item may then come again. */
  async take(item: FeedItem): Promise<void> {
    this.newest = item.cursor;
    if (item.type === "arrived") await this.arrive(item);
    else await this.give(item);
  }

  private async arrive(item: Arrived): Promise<void> {
    const id = item.notification.id;
    if (!this.ids.given.has(id)) {
      const pushed = this.ids.pushed.has(id);
      this.inHand = id;
      try {
        await this.give({ ...item, pushed });
      } finally {
        this.inHand = null;
      }
      this.ids.given.add(id);
    }
    this.at = item.cursor;
    await this.save();
  }

  private async give(item: FeedItem): Promise<void> {
    try {
      await this.options.give(item);
    } catch (thrown) {
      throw appError(thrown, "HANDLER");
    }
  }

  /** A push came with this id. True where the app has not had it yet in any way. */
  async pushed(id: string): Promise<boolean> {
    await this.load();
    const first = !this.ids.knows(id) && this.inHand !== id;
    this.ids.pushed.add(id);
    await this.save();
    return first;
  }

  /** Keeps everything. A store that fails is told, and the inbox goes on with what it has in memory. */
  private save(): Promise<void> {
    this.saving = this.saving.then(async () => {
      try {
        await this.options.store.save({ cursor: this.at, given: this.ids.given.list(), pushed: this.ids.pushed.list() });
      } catch (thrown) {
        this.options.onError(appError(thrown, "STORE"));
      }
    });
    return this.saving;
  }
}
