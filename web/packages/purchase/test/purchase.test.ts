// One tap, and everything that can come between it and the order.
import { expect, it } from 'vitest';
import { accepted, browserOf, job, json, placed, problem, silence, stream, World } from './world';

it('goes from the tap to the order, and says each step', async () => {
  const world = new World();
  const tab = world.tab();
  await tab.buy('red', 2);
  expect(world.seen).toEqual(['asking token', 'asking token', 'asking order', 'queued', 'queued', 'placed']);
  expect(world.of('tokens')[0]).toMatchObject({ method: 'POST', path: '/api/v1/sales/s1/tokens', body: { channel: 'web' }, headers: { authorization: 'Bearer jwt' } });
  expect(world.of('orders')[0]?.body).toEqual({ token: 'token-1', item: 'red', quantity: 2 });
  expect(tab.state).toMatchObject({ at: 'placed', job: { orderUrl: '/api/v1/orders/0193-job' } });
});

it('is never called bought before the order exists', async () => {
  const world = new World();
  world.replies.events = [problem('overloaded', {}, 1)];
  world.replies.jobs = [() => json(200, job('queued')), () => json(200, job('queued')), placed];
  await world.tab().buy('red', 1);
  expect(world.seen.filter((at) => at === 'placed')).toHaveLength(1);
  expect(world.seen.at(-1)).toBe('placed');
});

it('keeps the attempt before it is sent', async () => {
  const world = new World();
  let kept = '';
  world.replies.orders = [() => {
    kept = [...world.session.all.values()].join();
    return json(202, job('queued'));
  }];
  await world.tab().buy('red', 1);
  expect(kept).toContain('token-1');
  expect(world.session.all.size).toBe(0); // and forgets it when the order is there
});

it('taps while something is under way change nothing', async () => {
  const world = new World();
  const tab = world.tab();
  await Promise.all([tab.buy('red', 1), tab.buy('red', 1), tab.buy('blue', 3), tab.resume()]);
  expect(world.of('orders')).toHaveLength(1);
  expect(world.of('tokens')).toHaveLength(1);
});

it('waits exactly what Retry-After says', async () => {
  const world = new World();
  world.replies.orders = [problem('rate-limited', {}, 7), problem('overloaded', {}, 2), accepted];
  await world.tab().buy('red', 1);
  const [first, second, third] = world.of('orders').map(({ at }) => at);
  expect(second! - first!).toBe(7_000);
  expect(third! - second!).toBe(2_000);
});

it('waits longer each time where no answer came, and waits for the network', async () => {
  const world = new World();
  let back = () => {};
  world.offline = new Promise((resolve) => { back = resolve; });
  world.replies.orders = [silence, silence, silence, silence, silence, accepted];
  const tab = world.tab();
  const bought = tab.buy('red', 1);
  await new Promise((done) => setTimeout(done, 5));
  expect(world.of('orders')).toHaveLength(1); // not again until the network is back
  world.offline = undefined;
  back();
  await bought;
  expect(world.slept).toEqual([1_000, 2_000, 4_000, 8_000, 8_000]);
  expect(tab.state.at).toBe('placed');
});

it('stops after ten tries, and tells a long wait instead of waiting', async () => {
  const world = new World();
  world.replies.orders = [problem('overloaded', {}, 1)];
  const tab = world.tab();
  await tab.buy('red', 1);
  expect(world.of('orders')).toHaveLength(10);

  const patient = new World();
  patient.replies.orders = [problem('rate-limited', {}, 61)];
  const other = patient.tab();
  await other.buy('red', 1);
  expect(patient.slept).toEqual([]);
  expect(other.state).toMatchObject({ at: 'refused', next: 'tap', until: patient.now + 61_000 });
});

it('a reload goes on with the same token', async () => {
  const world = new World();
  let send = () => {};
  world.replies.orders = [() => new Promise(() => send()), accepted];
  const before = new Promise<void>((resolve) => { send = resolve; });
  const old = world.tab();
  void old.buy('red', 1);
  await before;
  old.stop();
  const fresh = world.tab();
  await fresh.resume();
  expect(world.of('orders').map(({ body }) => body.token)).toEqual(['token-1', 'token-1']);
  expect(fresh.state.at).toBe('placed');
});

it('a reload without an attempt asks for nothing', async () => {
  const world = new World();
  const tab = world.tab();
  await tab.resume();
  expect(world.asked).toEqual([]);
  expect(tab.state.at).toBe('idle');
});

it('a reload never buys with a new token: it was not a tap', async () => {
  const world = new World();
  world.replies.orders = [silence];
  await world.tab().buy('red', 1);
  world.replies.orders = [problem('token-expired')];
  const fresh = world.tab();
  await fresh.resume();
  expect(fresh.state).toMatchObject({ at: 'refused', problem: { code: 'token-expired' }, next: 'tap' });
  expect(world.of('tokens')).toHaveLength(1);
});

it('while the outcome is unknown a tap asks again with the same token, also for another item', async () => {
  const world = new World();
  world.replies.orders = [problem('outcome-unknown', {}, 1)];
  const tab = world.tab();
  await tab.buy('red', 1);
  expect(tab.state).toMatchObject({ at: 'refused', next: 'ask' });
  world.now += 600_000; // long after the ticket's end
  world.replies.orders = [accepted];
  await tab.buy('blue', 2);
  expect(world.of('orders').at(-1)?.body).toEqual({ token: 'token-1', item: 'red', quantity: 1 });
  expect(tab.state.at).toBe('placed');
});

it('once an answer was lost, being held up is no "no"; sold out is', async () => {
  const world = new World();
  world.replies.orders = [silence, problem('rate-limited', {}, 90)];
  const tab = world.tab();
  await tab.buy('red', 1);
  expect(tab.state).toMatchObject({ at: 'refused', next: 'ask', problem: { code: 'rate-limited' } });
  world.replies.orders = [problem('sold-out', { mayReturnUntil: '2026-11-21T12:15:00Z' })];
  await tab.buy('red', 1);
  expect(tab.state).toMatchObject({ at: 'refused', next: 'watch', problem: { mayReturnUntil: '2026-11-21T12:15:00Z' } });
  expect(world.session.all.size).toBe(0);
});

it('after sold out the next tap uses the same ticket while it lasts, and a new one later', async () => {
  const world = new World();
  world.replies.orders = [problem('sold-out')];
  const tab = world.tab();
  await tab.buy('red', 1);
  await tab.buy('red', 1);
  world.now += 119_000;
  await tab.buy('red', 1);
  expect(world.of('orders').map(({ body }) => body.token)).toEqual(['token-1', 'token-1', 'token-2']);
});

it('a buyer who has an order is shown which', async () => {
  const world = new World();
  world.replies.orders = [problem('limit-reached', { limit: 1, jobId: 'earlier' })];
  const tab = world.tab();
  await tab.buy('red', 1);
  expect(tab.state).toMatchObject({ next: 'order', problem: { jobId: 'earlier', limit: 1 } });
});

it('a refused login is renewed once, for the token only', async () => {
  const world = new World();
  world.logins = [{ buyer: 'ann', accessToken: 'old' }, { buyer: 'ann', accessToken: 'new' }];
  world.replies.tokens = [problem('unauthenticated'), world.replies.tokens[0] as typeof silence];
  const tab = world.tab();
  await tab.buy('red', 1);
  expect(world.of('tokens').map(({ headers }) => headers['authorization'])).toEqual(['Bearer old', 'Bearer new']);
  expect(tab.state.at).toBe('placed');
});

it('nobody signed in, or a login that cannot be asked for, is said', async () => {
  const world = new World();
  world.logins = [undefined];
  const tab = world.tab();
  await tab.buy('red', 1);
  expect(tab.state).toMatchObject({ at: 'refused', next: 'sign-in', problem: { code: 'unauthenticated' } });
  const broken = new World(browserOf(), { login: () => Promise.reject(new Error('away')) }).tab();
  await broken.buy('red', 1);
  expect(broken.state).toMatchObject({ at: 'refused', next: 'tap', problem: { code: 'no-answer' } });
});

it('attempts of two people in one browser are kept apart', async () => {
  const world = new World();
  world.replies.orders = [silence];
  await world.tab().buy('red', 1);
  world.logins = [{ buyer: 'bob', accessToken: 'jwt-of-bob' }];
  world.replies.orders = [accepted];
  const tab = world.tab();
  await tab.resume();
  expect(tab.state.at).toBe('idle');
  await tab.buy('red', 1);
  expect(world.of('orders').at(-1)?.body.token).toBe('token-2');
});

it('what was refused after it had been accepted is said by its reason', async () => {
  for (const reason of ['sold-out', 'limit-reached', 'unplaceable', 'discarded'] as const) {
    const world = new World();
    world.replies.events = [stream(job('queued'), job('refused', { reason, message: 'sorry' }))];
    const tab = world.tab();
    await tab.buy('red', 1);
    expect(tab.state).toMatchObject({ at: 'refused', problem: { code: reason, detail: 'sorry' } });
    await tab.buy('red', 1); // the ticket is used up
    expect(world.of('orders').at(-1)?.body.token).toBe('token-2');
  }
});

it('stopping ends the waiting, and nothing is sent any more', async () => {
  const world = new World();
  const tab = world.tab();
  world.replies.orders = [() => {
    tab.stop();
    return json(503, { code: 'overloaded' }, { 'retry-after': '1' });
  }];
  await tab.buy('red', 1);
  expect(world.of('orders')).toHaveLength(1);
  expect(world.session.all.size).toBe(1); // for the page that comes next
});

it('reset forgets what was said, not what is under way', async () => {
  const world = new World();
  const tab = world.tab();
  const bought = tab.buy('red', 1);
  tab.reset();
  expect(tab.state.at).toBe('asking');
  await bought;
  tab.reset();
  expect(tab.state).toEqual({ at: 'idle' });
});
