// The public GraphQL-over-HTTP audits (npm graphql-http) against a running server.
//
//   npm ci
//   BONGSU_KEY=… node audit.mjs http://127.0.0.1:PORT/graphql
//
// Prints what failed and then "61 passed, 0 failed". Exit code 0 only if every audit is ok:
// recommendations (SHOULD, MAY) count like obligations. 2 for a wrong call or no server.
import { serverAudits } from 'graphql-http';

/** Fewer than this many audits means that the package no longer checks what it did. */
const EXPECTED = 61;

const [url] = process.argv.slice(2);
if (!url) {
  console.error('usage: BONGSU_KEY=… node audit.mjs http://127.0.0.1:PORT/graphql');
  process.exit(2);
}

const key = process.env.BONGSU_KEY;

/** `fetch`, as the caller whose key is in the environment. */
function fetchFn(target, init = {}) {
  const headers = new Headers(init.headers);
  if (key) headers.set('authorization', `Bearer ${key}`);
  return fetch(target, { ...init, headers });
}

let passed = 0;
let failed = 0;
try {
  for (const audit of serverAudits({ url, fetchFn })) {
    const result = await audit.fn();
    if (result.status === 'ok') {
      passed += 1;
    } else {
      failed += 1;
      console.error(`${result.status}: ${result.id} ${result.name}\n  ${result.reason}`);
    }
  }
} catch (error) {
  console.error(`the audits could not be run against ${url}: ${error.cause ?? error}`);
  process.exit(2);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed >= EXPECTED ? 0 : 1);
