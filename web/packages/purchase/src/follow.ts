// Follows a job to its end: a stream of events first, questions as late as the job says where there is none.
import { ask } from './ask';
import { patience } from './patience';
import { RULES, waitS } from './rules';
import type { Surroundings } from './surroundings';
import type { Job, Problem } from './types';

/** Between questions about a job that does not say when. */
const POLL_MS = 1_000;
/** The shop says something at least every ten seconds; a line that is silent for longer is dead. */
const SILENCE_MS = 25_000;

export type End = { job: Job } | { problem: Problem };

type World = Pick<Surroundings, 'fetch' | 'sleep' | 'online'>;

/** `seen` hears every state on the way, the last one included. */
export async function follow(world: World, base: string, job: Job, signal: AbortSignal, seen: (job: Job) => void): Promise<End> {
  let latest = job;
  const hear = (newer: Job) => { latest = newer; seen(newer); };
  hear(job);
  if (latest.status === 'queued') await listen(world, `${base}/api/v1/jobs/${job.jobId}/events`, signal, hear);
  for (let silent = 0; latest.status === 'queued';) {
    if (silent === 0) await world.sleep(latest.pollAfterMs ?? POLL_MS, signal);
    const answer = await ask<Job>(world.fetch, `${base}/api/v1/jobs/${job.jobId}`, { signal });
    if (answer.ok) {
      silent = 0;
      hear(answer.body);
      continue;
    }
    const { code } = answer.problem;
    // It was accepted: only the shop's own word ends it, not a proxy's page.
    if (RULES[code].then !== 'wait' && code !== 'unexpected') return { problem: answer.problem };
    silent += 1;
    await world.sleep(waitS(answer.retryAfterS, silent) * 1_000, signal);
    await world.online(signal);
  }
  return { job: latest };
}

/** Hears the stream until the job has ended, or the stream has, for whatever reason. */
async function listen({ fetch }: World, url: string, signal: AbortSignal, hear: (job: Job) => void): Promise<void> {
  const line = patience(signal, SILENCE_MS);
  try {
    const answer = await fetch(url, { headers: { accept: 'text/event-stream' }, signal: line.signal });
    if (!answer.ok || !answer.body) return;
    let text = '';
    const decoder = new TextDecoder();
    const reader = answer.body.getReader();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      line.heard();
      text += decoder.decode(piece.value, { stream: true });
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        const data = event.split('\n').find((line) => line.startsWith('data: '));
        if (!data) continue;
        const job = JSON.parse(data.slice('data: '.length)) as Job;
        hear(job);
        if (job.status !== 'queued') return void reader.cancel().catch(() => undefined);
      }
    }
  } catch (error) {
    // A broken stream is no news: the questions that follow ask for the rest.
    if (signal.aborted) throw error;
  } finally {
    line.done();
  }
}
