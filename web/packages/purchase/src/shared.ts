// What all tabs of a browser know together. In IndexedDB: it changes an entry while no other tab can, which Web Storage
// cannot: there one tab may read what another one has long replaced.

/** Replaces the entry by what `change` makes of it, in one step; gives what it is then. `undefined` is no entry. */
export type Shared = <T>(key: string, change: (known: T | undefined) => T | undefined) => Promise<T | undefined>;

const STORE = 'entries';
/** Some browsers never open a database that they will not let a page have. */
const OPEN_WITHIN_MS = 1_000;

/** Entries that this tab alone knows. */
export function unshared(): Shared {
  const kept = new Map<string, unknown>();
  return async <T>(key: string, change: (known: T | undefined) => T | undefined) => {
    const value = change(kept.get(key) as T | undefined);
    kept.set(key, value);
    return value;
  };
}

function open(): Promise<IDBDatabase> {
  return new Promise((done, failed) => {
    const request = indexedDB.open('seckill-purchase', 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
    setTimeout(() => failed(new Error('no database')), OPEN_WITHIN_MS);
  });
}

/** The browser's; where it forbids that, this tab's own. */
export function createShared(): Shared {
  const alone = unshared();
  let opened: Promise<IDBDatabase> | undefined;
  const change = async <T>(database: IDBDatabase, key: string, by: (known: T | undefined) => T | undefined) =>
    new Promise<T | undefined>((done, failed) => {
      const transaction = database.transaction(STORE, 'readwrite');
      const entries = transaction.objectStore(STORE);
      const read: IDBRequest<T | undefined> = entries.get(key);
      let value: T | undefined;
      read.onsuccess = () => {
        value = by(read.result);
        if (value === undefined) entries.delete(key);
        else if (value !== read.result) entries.put(value, key);
      };
      transaction.oncomplete = () => done(value);
      transaction.onabort = () => failed(transaction.error);
    });
  return async (key, by) => {
    try {
      return await change(await (opened ??= open()), key, by);
    } catch {
      return alone(key, by);
    }
  };
}
