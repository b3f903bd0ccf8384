// Puts a `.gz` next to every text file of a build: the gateway serves it as it is to whoever accepts gzip.
// Usage: node compress.mjs DIR
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { files } from './files.mjs';

const SYSTEM_BYTE = 9; // of the gzip header: it names the builder's system, which is nobody's business

const [dir] = process.argv.slice(2);
for (const name of files(dir).filter((file) => /\.(html|js|css|svg)$/.test(file))) {
  const packed = gzipSync(readFileSync(join(dir, name)), { level: 9 });
  packed[SYSTEM_BYTE] = 255;
  writeFileSync(join(dir, `${name}.gz`), packed);
}
