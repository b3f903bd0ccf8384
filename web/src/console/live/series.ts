/**
 * What the live charts draw: the whole sale in a bounded number of points. The history comes first, then one point a
 * second; when there are too many, neighbours are merged, so that a sale of any length stays a picture of one size.
 */

import type { History, LiveItem, Point } from '../api/types';
import type { Now } from './state';

/** One point of the charts: levels at its end, rates as its mean. */
export interface Sample {
  /** Seconds since 1970. */
  at: number;
  free: number;
  queued: number;
  held: number;
  paid: number;
  /** Per second. */
  asked: number;
  accepted: number;
  refused: number;
  p99Ms: number | undefined;
}

export interface Series {
  samples: Sample[];
  /** Seconds that one merged sample stands for. */
  stepSeconds: number;
}

/** Merged when there are more. Two for each pixel of a wide chart are more than anybody sees. */
export const SAMPLES_MAX = 1_200;

export const NO_SERIES: Series = { samples: [], stepSeconds: 1 };

export function fromHistory({ stepSeconds, points }: History): Series {
  const step = Math.max(1, stepSeconds);
  const samples: Sample[] = [];
  for (const point of [...points].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))) {
    const before = samples.at(-1);
    const sample = fromPoint(point, step, before);
    if (before) samples.push(...quiet(before, sample, step));
    samples.push(sample);
  }
  return bounded({ samples, stepSeconds: step });
}

/** The series with this second added. A second without levels or rates adds nothing. */
export function withLive(series: Series, event: Now): Series {
  const { items, perSecond } = event;
  if (!items || !perSecond) return series;
  const last = series.samples.at(-1);
  const at = Date.parse(event.at) / 1_000;
  // The stream starts again after a break with a second that the history had already.
  if (last && at <= last.at) return series;
  const sum = (of: (item: LiveItem) => number) => items.reduce((total, item) => total + of(item), 0);
  const sample: Sample = {
    at,
    free: sum(({ free }) => free),
    queued: sum(({ queued, unpublished }) => queued + unpublished),
    held: sum(({ held }) => held),
    paid: sum(({ paid }) => paid),
    asked: perSecond.asked,
    accepted: perSecond.accepted,
    refused: perSecond.refused,
    p99Ms: event.latencyMs?.answer?.p99,
  };
  return bounded({ ...series, samples: [...series.samples, sample] });
}

/** A level that is left out is as it was before. */
function fromPoint(point: Point, step: number, before: Sample | undefined): Sample {
  return {
    at: Date.parse(point.at) / 1_000,
    free: point.free ?? before?.free ?? 0,
    queued: point.queued ?? before?.queued ?? 0,
    held: point.held ?? before?.held ?? 0,
    paid: point.paid ?? before?.paid ?? 0,
    asked: point.asked / step,
    accepted: point.accepted / step,
    refused: point.refused / step,
    p99Ms: point.p99Ms ?? undefined,
  };
}

/** Steps that were left out, because nothing happened: their rates are 0, and a line must not slope across them. */
function quiet(before: Sample, after: Sample, step: number): Sample[] {
  const nothing = { ...before, asked: 0, accepted: 0, refused: 0, p99Ms: undefined };
  const [first, last] = [before.at + step, after.at - step];
  if (last < first) return [];
  return last === first ? [{ ...nothing, at: first }] : [{ ...nothing, at: first }, { ...nothing, at: last }];
}

function bounded(series: Series): Series {
  if (series.samples.length <= SAMPLES_MAX) return series;
  const samples: Sample[] = [];
  for (let at = 0; at < series.samples.length; at += 2) {
    const first = series.samples[at];
    const second = series.samples[at + 1];
    if (first) samples.push(second ? merged(first, second) : first);
  }
  return { samples, stepSeconds: series.stepSeconds * 2 };
}

/** Levels are the later ones; rates the mean; of the slow answers the slower, so that no peak is lost. */
function merged(first: Sample, second: Sample): Sample {
  const mean = (a: number, b: number) => (a + b) / 2;
  const slow = [first.p99Ms, second.p99Ms].filter((ms) => ms !== undefined);
  return {
    ...second,
    asked: mean(first.asked, second.asked),
    accepted: mean(first.accepted, second.accepted),
    refused: mean(first.refused, second.refused),
    p99Ms: slow.length > 0 ? Math.max(...slow) : undefined,
  };
}
