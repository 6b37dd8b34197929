import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "../../src/backoff.js";
import { systemClock, type Clock } from "../../src/clock.js";

const always = (random: number): Clock => ({ ...systemClock, random: () => random });

test("waits double up to a bound", () => {
  const backoff = new Backoff({ firstMs: 100, mostMs: 1_000 }, always(1));
  assert.deepEqual([1, 2, 3, 4, 5, 6].map(() => backoff.next()), [100, 200, 400, 800, 1_000, 1_000]);
  backoff.reset();
  assert.equal(backoff.next(), 100);
});

test("jitter takes up to half of it away", () => {
  const backoff = new Backoff({ firstMs: 100, mostMs: 1_000 }, always(0));
  assert.deepEqual([1, 2, 3, 4, 5].map(() => backoff.next()), [50, 100, 200, 400, 500]);
});

test("what the server asks for is kept to", () => {
  const backoff = new Backoff({ firstMs: 100, mostMs: 1_000 }, always(0.5));
  assert.equal(backoff.next(60_000), 60_025);
});
