// From the 202 to the end: a stream first, questions where there is none.
import { expect, it } from 'vitest';
import { job, json, placed, problem, silence, stream, World } from './world';

const queued = () => json(200, job('queued', { pollAfterMs: 700 }));

it('hears the stream, and asks nothing', async () => {
  const world = new World();
  const tab = world.tab();
  await tab.buy('red', 1);
  expect(world.of('events')).toHaveLength(1);
  expect(world.of('jobs')).toEqual([]);
  expect(world.slept).toEqual([]);
});

it.each([
  ['is refused', problem('overloaded', {}, 1)],
  ['breaks', silence],
  ['ends early', stream(job('queued', { pollAfterMs: 1_500 }))],
  ['talks nonsense', () => new Response('event: job\ndata: {nonsense\n\n')],
])('where the stream %s it asks, exactly as late as the job says', async (_, events) => {
  const world = new World();
  world.replies.events = [events];
  world.replies.jobs = [queued, queued, placed];
  const tab = world.tab();
  await tab.buy('red', 1);
  expect(tab.state.at).toBe('placed');
  expect(world.slept).toEqual([1_500, 700, 700]);
});

it('a question that finds us busy is repeated as late as it says, however often', async () => {
  const world = new World();
  world.replies.events = [silence];
  world.replies.jobs = [...Array.from({ length: 30 }, () => problem('not-ready', {}, 4)), placed];
  const tab = world.tab();
  await tab.buy('red', 1);
  expect(tab.state.at).toBe('placed');
  expect(world.slept).toEqual([1_500, ...Array.from({ length: 30 }, () => 4_000)]);
});

it('pieces of the stream may be cut anywhere', async () => {
  const world = new World();
  const text = [job('queued'), job('placed', { message: '已下单' })].map((one) => `event: job\ndata: ${JSON.stringify(one)}\n\n`).join('');
  const bytes = new TextEncoder().encode(text);
  world.replies.events = [() => new Response(new ReadableStream({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  }))];
  const tab = world.tab();
  await tab.buy('red', 1);
  expect(tab.state).toMatchObject({ at: 'placed', job: { message: '已下单' } });
});
