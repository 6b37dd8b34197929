import type { Cursor } from "./types.js";

/** What one inbox keeps between runs. One store belongs to one recipient and one inbox. */
export interface CursorStore {
  load(): Promise<Saved | null> | Saved | null;
  /** Answers when it is kept; only then does the inbox go on. */
  save(saved: Saved): Promise<void> | void;
}

export interface Saved {
  /** The last item that the app is done with. */
  cursor: Cursor | null;
  /** Ids lately given to the app, oldest first. */
  given: readonly string[];
  /** Ids that lately came as a push, oldest first. */
  pushed: readonly string[];
}

/** Forgets with the process. */
export class MemoryCursorStore implements CursorStore {
  constructor(private saved: Saved | null = null) {}

  load(): Saved | null {
    return this.saved;
  }

  save(saved: Saved): void {
    this.saved = saved;
  }
}

/** The part of `localStorage` that is used. */
export interface StorageLike {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** Keeps it in the browser. `name` has to differ between recipients. */
export class LocalStorageCursorStore implements CursorStore {
  constructor(
    private readonly name: string,
    private readonly storage: StorageLike = globalThis.localStorage,
  ) {}

  load(): Saved | null {
    const text = this.storage.getItem(this.key());
    return text === null ? null : parse(text);
  }

  save(saved: Saved): void {
    this.storage.setItem(this.key(), JSON.stringify(saved));
  }

  private key(): string {
    return `bongsu:${this.name}`;
  }
}

/** What is not ours, or broken, counts as nothing saved. */
function parse(text: string): Saved | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return null;
    const { cursor, given, pushed } = value as { cursor?: unknown; given?: unknown; pushed?: unknown };
    return { cursor: typeof cursor === "string" ? cursor : null, given: texts(given), pushed: texts(pushed) };
  } catch {
    return null;
  }
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}
