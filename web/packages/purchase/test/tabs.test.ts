// Two tabs of one browser make one purchase.
import { expect, it } from 'vitest';
import { accepted, browserOf, job, json, problem, World } from './world';

const settled = () => new Promise((done) => setTimeout(done, 5));

it('a tap in one tab is shown in the other, which leads to the same order', async () => {
  const browser = browserOf();
  const [one, two] = [new World(browser), new World(browser)];
  const [left, right] = [one.tab(), two.tab()];
  await left.buy('red', 1);
  await settled();
  expect(left.state).toMatchObject({ at: 'placed', job: { jobId: '0193-job' } });
  expect(right.state).toMatchObject({ at: 'placed', job: { jobId: '0193-job' } });
  expect(two.of('tokens')).toEqual([]);
  expect(two.of('orders').map(({ body }) => body.token)).toEqual(['token-1']);
});

it('taps in both at once send the same token', async () => {
  const browser = browserOf();
  const [one, two] = [new World(browser), new World(browser)];
  await Promise.all([one.tab().buy('red', 1), two.tab().buy('blue', 1)]);
  const tokens = [...one.of('orders'), ...two.of('orders')].map(({ body }) => body.token);
  expect(new Set(tokens).size).toBe(1);
});

it('a tap that still waits for its token when the other tab has its order leads to that order', async () => {
  const browser = browserOf();
  const [one, two] = [new World(browser), new World(browser)];
  let grant = () => {};
  const granted = new Promise<void>((resolve) => { grant = resolve; });
  const ticket = two.replies.tokens[0]!;
  two.replies.tokens = [async (asked) => {
    await granted;
    const answer = await (await ticket(asked)).json();
    return json(201, { ...answer, token: 'another' });
  }];
  const [left, right] = [one.tab(), two.tab()];
  const late = right.buy('red', 1);
  await left.buy('red', 1);
  expect(left.state.at).toBe('placed');
  grant();
  await late;
  expect(right.state).toMatchObject({ at: 'placed', job: { jobId: '0193-job' } });
  expect(two.of('orders').map(({ body }) => body.token)).toEqual(['token-1']);
});

it('a tap made after the order is a new one', async () => {
  const world = new World();
  const tab = world.tab();
  await tab.buy('red', 1);
  tab.reset();
  world.now += 5_000;
  await tab.buy('red', 1);
  expect(world.of('orders').map(({ body }) => body.token)).toEqual(['token-1', 'token-2']);
});

it('a tab that hears of a tap does not pass it on, also when it is refused', async () => {
  const browser = browserOf();
  const worlds = [new World(browser), new World(browser), new World(browser)];
  for (const world of worlds) world.replies.orders = [problem('sold-out')];
  const tabs = worlds.map((world) => world.tab());
  await tabs[0]!.buy('red', 1);
  await settled();
  expect(worlds.map((world) => world.of('orders').length)).toEqual([1, 1, 1]);
});

it("another sale, and another buyer's tap, are none of our business", async () => {
  const browser = browserOf();
  const [ann, bob, elsewhere] = [new World(browser), new World(browser), new World(browser, { sale: 's2' })];
  bob.logins = [{ buyer: 'bob', accessToken: 'jwt' }];
  const tabs = [bob.tab(), elsewhere.tab()];
  await ann.tab().buy('red', 1);
  await settled();
  expect(tabs.map(({ state }) => state.at)).toEqual(['idle', 'idle']);
});

it('a tab opened while the other one does not know yet sends the same token', async () => {
  const browser = browserOf();
  const one = new World(browser);
  one.replies.orders = [problem('outcome-unknown', {}, 1)];
  await one.tab().buy('red', 1);
  const two = new World(browser);
  two.now = one.now + 3_600_000;
  two.replies.orders = [accepted];
  await two.tab().buy('red', 1);
  expect(two.of('orders')[0]?.body.token).toBe('token-1');
});

it('a token that another tab left behind and that never was admitted is replaced, by one tap', async () => {
  const browser = browserOf();
  const one = new World(browser);
  one.replies.orders = [problem('outcome-unknown', {}, 1)];
  await one.tab().buy('red', 1);
  const two = new World(browser);
  two.now = one.now + 3_600_000;
  two.replies.tokens = [() => json(201, { ...two.ticket(), token: 'fresh' })];
  two.replies.orders = [problem('token-expired'), () => json(202, job('queued'))];
  const tab = two.tab();
  await tab.buy('red', 1);
  expect(two.of('orders').map(({ body }) => body.token)).toEqual(['token-1', 'fresh']);
  expect(tab.state.at).toBe('placed');
});
