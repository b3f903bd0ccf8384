import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Every file below `dir`, as sorted paths relative to it; nothing where there is no such folder. */
export function files(dir, below = '') {
  let entries = [];
  try {
    entries = readdirSync(join(dir, below), { withFileTypes: true });
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  return entries
    .flatMap((entry) => (entry.isDirectory() ? files(dir, join(below, entry.name)) : [join(below, entry.name)]))
    .sort();
}
