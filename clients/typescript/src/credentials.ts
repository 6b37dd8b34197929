import { appError } from "./errors.js";

/** The token in use; the app is asked for another one only once this one was turned down. */
export class Credentials {
  private current: Promise<string> | null = null;

  constructor(private readonly fetchToken: () => Promise<string>) {}

  async token(): Promise<string> {
    const asked = (this.current ??= this.ask());
    try {
      return await asked;
    } catch (thrown) {
      if (this.current === asked) this.current = null;
      throw appError(thrown, "TOKEN");
    }
  }

  private async ask(): Promise<string> {
    return this.fetchToken();
  }

  /** That token was turned down. Another one, fetched meanwhile, stays. */
  async refused(token: string): Promise<void> {
    const asked = this.current;
    const known = await asked?.catch(() => null);
    if (known === token && this.current === asked) this.current = null;
  }
}
