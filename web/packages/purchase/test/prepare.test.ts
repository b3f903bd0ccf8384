// The ticket before the opening, the proof of work, and the shop's clock.
import { createHash, pbkdf2Sync } from 'node:crypto';
import { expect, it } from 'vitest';
import { createClock } from '../src/index';
import { browserOf, json, problem, START, World } from './world';

const iso = (ms: number) => new Date(ms).toISOString();
const window = { tokensFrom: iso(START + 60_000), opensAt: iso(START + 660_000) };

it.each([[0, 61_000], [0.5, 359_500], [1, 658_000]])('at random %d the ticket is fetched after %d ms', async (random, after) => {
  const world = new World(browserOf(), { random: () => random });
  const tab = world.tab();
  await tab.prepare(window);
  expect(world.of('tokens').map(({ at }) => at - START)).toEqual([after]);
  expect(tab.state.at).toBe('idle');
  await tab.buy('red', 1);
  expect(world.of('tokens')).toHaveLength(1); // the opening costs one request
});

it('a ticket that is there, from another tab or before a reload, is not fetched again', async () => {
  const world = new World();
  const soon = { ...window, opensAt: iso(START + 70_000) };
  await world.tab().prepare(soon);
  await world.tab().prepare(soon);
  expect(world.of('tokens')).toHaveLength(1);
});

it('is repeated as late as the answer says, and leaves a real refusal to the tap', async () => {
  const world = new World();
  const granted = world.replies.tokens[0]!;
  world.replies.tokens = [problem('rate-limited', {}, 9), granted];
  await world.tab().prepare(window);
  const [first, second] = world.of('tokens').map(({ at }) => at);
  expect(second! - first!).toBe(9_000);

  const refused = new World();
  refused.replies.tokens = [problem('sale-ended')];
  const tab = refused.tab();
  await tab.prepare(window);
  expect(refused.of('tokens')).toHaveLength(1);
  expect(tab.state.at).toBe('idle');
});

const nonce = '00112233445566778899aabbccddeeff';
const salt = 'ffeeddccbbaa99887766554433221100';
const password = (counter: number) => Buffer.concat([Buffer.from(nonce, 'hex'), Buffer.from([0, 0, 0, counter])]);
const derived = {
  'PBKDF2/SHA-256': (counter: number) => pbkdf2Sync(password(counter), Buffer.from(salt, 'hex'), 10, 32, 'sha256'),
  'SHA-256': (counter: number) => {
    let key = Buffer.concat([Buffer.from(salt, 'hex'), password(counter)]);
    for (let round = 0; round < 10; round += 1) key = createHash('sha256').update(key).digest();
    return key;
  },
};
const challengeOf = (algorithm: keyof typeof derived, expiresAt = START / 1_000 + 300) => ({
  parameters: {
    algorithm, cost: 10, expiresAt, keyLength: 32, keyPrefix: derived[algorithm](17).toString('hex').slice(0, 32), keySignature: 'k', nonce, salt,
  },
  signature: 's',
});

it.each(['PBKDF2/SHA-256', 'SHA-256'] as const)('a challenge in %s is solved, and the token asked for with it', async (algorithm) => {
  const world = new World();
  const challenge = challengeOf(algorithm);
  const granted = world.replies.tokens[0]!;
  world.replies.tokens = [problem('challenge-required', { challenge }), granted];
  const tab = world.tab();
  await tab.buy('red', 1);
  expect(world.seen).toContain('asking solving');
  expect(tab.state.at).toBe('placed');
  const sent = JSON.parse(atob(world.of('tokens')[1]?.body.altcha));
  expect(sent).toEqual({ challenge, solution: { counter: 17, derivedKey: derived[algorithm](17).toString('hex') } });
});

it('a failed challenge is tried once more with the new one, then told', async () => {
  const world = new World();
  world.replies.tokens = [problem('challenge-required', { challenge: challengeOf('SHA-256') }), problem('challenge-failed', { challenge: challengeOf('SHA-256') })];
  const tab = world.tab();
  await tab.buy('red', 1);
  expect(world.of('tokens')).toHaveLength(3);
  expect(tab.state).toMatchObject({ at: 'refused', problem: { code: 'challenge-failed' }, next: 'tap' });
});

it('where the browser cannot compute, or the time is over, that is said', async () => {
  for (const world of [new World(browserOf(), { subtle: undefined }), new World()]) {
    world.replies.tokens = [problem('challenge-required', { challenge: challengeOf('SHA-256', START / 1_000 - 1) })];
    const tab = world.tab();
    await tab.buy('red', 1);
    expect(tab.state).toMatchObject({ at: 'refused', problem: { code: 'challenge-required' }, next: 'none' });
  }
});

it('the clock takes the sample with the shortest way, whatever the device thinks', async () => {
  let steady = 5_000;
  const ways = [[400, 0], [20, 10], [900, 300]]; // there, and back, in ms
  const clock = createClock({
    steady: () => steady,
    sleep: async (ms) => { steady += ms; },
    fetch: async () => {
      const [there = 0, back = 0] = ways.shift() ?? [];
      steady += there;
      const now = iso(START + steady);
      steady += back;
      return json(200, { now });
    },
  });
  await clock.set(3);
  expect(Math.abs(clock.now() - (START + steady))).toBeLessThanOrEqual(5); // half of what the best way is lopsided by
});

it('a clock that cannot be read stays as it was', async () => {
  const clock = createClock({ steady: () => 0, sleep: async () => {}, fetch: () => Promise.reject(new TypeError('network')) });
  const before = clock.now();
  await clock.set(2);
  expect(clock.now()).toBe(before);
});
