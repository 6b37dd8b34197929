/** The last ids, at most `capacity`; the oldest are forgotten first. */
export class BoundedIds {
  private readonly ids = new Set<string>();

  constructor(private readonly capacity: number) {}

  has(id: string): boolean {
    return this.ids.has(id);
  }

  add(id: string): void {
    this.ids.delete(id);
    this.ids.add(id);
    for (const oldest of this.ids) {
      if (this.ids.size <= this.capacity) break;
      this.ids.delete(oldest);
    }
  }

  list(): string[] {
    return [...this.ids];
  }
}

/** Which notifications the app has had lately, and in which way. */
export class Duplicates {
  readonly given: BoundedIds;
  readonly pushed: BoundedIds;

  constructor(capacity: number) {
    this.given = new BoundedIds(capacity);
    this.pushed = new BoundedIds(capacity);
  }

  /** Takes over what was kept. */
  restore(given: readonly string[], pushed: readonly string[]): void {
    for (const id of given) this.given.add(id);
    for (const id of pushed) this.pushed.add(id);
  }

  /** Whether it came in any way. */
  knows(id: string): boolean {
    return this.given.has(id) || this.pushed.has(id);
  }
}
