// Fails when dist/ is not what the sources build: the program carries dist/, and is built where there is no Node.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { files } from './files.mjs';

const committed = 'dist';
const fresh = mkdtempSync(join(tmpdir(), 'seckill-dist-'));
const run = (command, ...args) => execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
/** Versions of zlib pack the same text differently; what is in it counts. */
const content = (dir, name) => {
  const bytes = readFileSync(join(dir, name));
  return name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
};

let findings;
try {
  run('npx', 'vite', 'build', '--logLevel', 'warn', '--emptyOutDir', '--outDir', fresh);
  run('node', 'scripts/compress.mjs', fresh);
  const [has, wants] = [files(committed), files(fresh)];
  findings = [
    ...wants.filter((name) => !has.includes(name)).map((name) => `missing: dist/${name}`),
    ...has.filter((name) => !wants.includes(name)).map((name) => `of another build: dist/${name}`),
    ...wants
      .filter((name) => has.includes(name) && !content(fresh, name).equals(content(committed, name)))
      .map((name) => `differs: dist/${name}`),
  ];
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
if (findings.length > 0) {
  console.error([...findings, 'web/dist is not what the sources build: run `npm run build` and commit it.'].join('\n'));
  process.exit(1);
}
