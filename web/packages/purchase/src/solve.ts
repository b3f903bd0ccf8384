// Solves a proof of work as ALTCHA's widget does it: the counter with which the derived key begins as asked.
import type { Challenge } from './types';

const bytes = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const hex = (key: Uint8Array) => Array.from(key, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** The payload to send as `altcha`; nothing where this browser cannot, or the time is over. `now` in milliseconds. */
export async function solve(
  { parameters, signature }: Challenge, subtle: SubtleCrypto | undefined, now: () => number, signal: AbortSignal,
): Promise<string | undefined> {
  const { algorithm, cost, nonce, salt, keyPrefix, keyLength, expiresAt } = parameters;
  if (!subtle || !['SHA-256', 'PBKDF2/SHA-256'].includes(algorithm)) return undefined;
  const salted = bytes(salt);
  const password = new Uint8Array([...bytes(nonce), 0, 0, 0, 0]);
  const counted = new DataView(password.buffer, password.length - 4);

  const derive = async (): Promise<Uint8Array> => {
    if (algorithm === 'SHA-256') {
      let key = new Uint8Array([...salted, ...password]);
      for (let round = 0; round < cost; round += 1) key = new Uint8Array(await subtle.digest('SHA-256', key));
      return key;
    }
    const key = await subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits']);
    const how = { name: 'PBKDF2', hash: 'SHA-256', salt: salted, iterations: cost };
    return new Uint8Array(await subtle.deriveBits(how, key, keyLength * 8));
  };

  for (let counter = 0; now() / 1_000 < expiresAt; counter += 1) {
    signal.throwIfAborted();
    counted.setUint32(0, counter);
    const derivedKey = hex(await derive());
    if (derivedKey.startsWith(keyPrefix)) {
      return btoa(JSON.stringify({ challenge: { parameters, signature }, solution: { counter, derivedKey } }));
    }
  }
  return undefined;
}
