/** What differs between two documents of the audit log, field by field. */

export interface FieldChange {
  /** For example `local.perIp.burst`. */
  path: string;
  /** `undefined`: it was not there, or is not known. */
  before: string | undefined;
  after: string;
}

export function flatDifferences(before: unknown, after: unknown): FieldChange[] {
  const old = flat(before);
  const now = flat(after);
  const paths = [...new Set([...old.keys(), ...now.keys()])];
  return paths
    .filter((path) => old.get(path) !== now.get(path))
    .map((path) => ({ path, before: old.get(path), after: now.get(path) ?? '–' }));
}

function flat(value: unknown, path = '', found = new Map<string, string>()): Map<string, string> {
  if (value === null || value === undefined) return found;
  if (typeof value === 'object') {
    for (const [name, inner] of Object.entries(value)) flat(inner, path === '' ? name : `${path}.${name}`, found);
  } else {
    found.set(path, String(value));
  }
  return found;
}
