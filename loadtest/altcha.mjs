// The proof of work against the widget's own code: the solver that the npm package `altcha` ships for its workers
// solves what our gateway asks for, and the gateway takes the payload as the widget builds it.
//
//   node loadtest/altcha.mjs http://127.0.0.1:8080 SALE       against a running stack with `challenge.enabled = true`
//   node loadtest/altcha.mjs                                  against challenges made by altcha-lib: does the solver run?

import { createRequire } from 'node:module';
import { solveChallenge } from 'altcha/lib';
import { createChallenge, verifySolution } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/web/pbkdf2';
import { deriveKey as deriveSha } from 'altcha-lib/algorithms/web/sha';

const version = createRequire(import.meta.url)('altcha/package.json').version;
const [base, sale = 'demo'] = process.argv.slice(2);

/** As the widget does it: its solver, its payload. */
async function payloadFor(challenge) {
  const derive = challenge.parameters.algorithm.startsWith('PBKDF2/') ? deriveKey : deriveSha;
  const solution = await solveChallenge({ challenge, deriveKey: derive });
  if (!solution) throw new Error('no solution within 90 s');
  return btoa(JSON.stringify({ challenge, solution }));
}

function expect(what, found, wanted) {
  if (found !== wanted) throw new Error(`${what}: ${found}, not ${wanted}`);
  console.log(`${what}: ${found}`);
}
