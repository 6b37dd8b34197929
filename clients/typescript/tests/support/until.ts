/** Waits until something holds, and fails where it does not within `ms`; looks again every `every` ms. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 5_000, every = 2): Promise<void> {
  const end = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
