/** How long each stage takes now, and how the slowest answers went over the sale. */

import { useMemo, useState } from 'react';
import { Table } from '../../ui';
import type { LiveEvent, Stage } from '../api/types';
import { useTongue } from '../words';
import { newestFirst } from './BurnDown';
import { Chart } from './Chart';
import { ChartPanel } from './ChartPanel';
import type { Series } from './series';

const STAGES: Stage[] = ['answer', 'admit', 'publish', 'place'];

export function Latency({ latency, series }: { latency: LiveEvent['latencyMs']; series: Series }) {
  const { words, format } = useTongue();
  const { live } = words;
  const [point, setPoint] = useState<number | null>(null);
  const { samples } = series;
  const data = useMemo<[number[], (number | null)[]]>(
    () => [samples.map(({ at }) => at), samples.map(({ p99Ms }) => p99Ms ?? null)],
    [samples],
  );
  const [first, last] = [samples[0], samples.at(-1)];
  const measured = samples.some(({ p99Ms }) => p99Ms !== undefined);
  const shown = (point === null ? undefined : samples[point]) ?? samples.findLast(({ p99Ms }) => p99Ms !== undefined);
  return (
    <ChartPanel
      title={live.latency}
      help={live.latencyHelp}
      className="latency"
      chart={
        <>
          <Stages latency={latency} />
          {measured && first && last && (
            <>
              <div className="legend" aria-hidden="true">
                <span>
                  <i className="swatch slow" />
                  {live.p99Line} <b className="digits">{shown?.p99Ms === undefined ? words.common.none : format.ms(shown.p99Ms)}</b>
                </span>
              </div>
              <Chart
                label={live.chartOf(live.p99Line, format.clock(first.at * 1_000), format.clock(last.at * 1_000))}
                lines={[{ label: live.p99, color: '--slow', width: 2 }]}
                data={data}
                value={format.ms}
                onPoint={setPoint}
              />
            </>
          )}
        </>
      }
      table={() => (
        <Table
          caption={live.p99Line} hidden
          rows={newestFirst(samples).filter(({ p99Ms }) => p99Ms !== undefined)}
          rowKey={({ at }) => at}
          columns={[
            { key: 'time', title: live.time, heads: true, cell: ({ at }) => format.clock(at * 1_000) },
            { key: 'p99', title: live.p99, number: true, cell: ({ p99Ms }) => (p99Ms === undefined ? '' : format.ms(p99Ms)) },
          ]}
        />
      )}
    />
  );
}

function Stages({ latency }: { latency: LiveEvent['latencyMs'] }) {
  const { words, format } = useTongue();
  const { live } = words;
  const cell = (which: 'p50' | 'p95' | 'p99') => (stage: Stage) => {
    const times = latency?.[stage];
    return times ? format.ms(times[which]) : words.common.none;
  };
  return (
    <Table
      caption={live.latency}
      hidden
      rows={STAGES}
      rowKey={(stage) => stage}
      columns={[
        { key: 'stage', title: live.stage, heads: true, cell: (stage) => live.stages[stage] },
        { key: 'p50', title: live.half, number: true, cell: cell('p50') },
        { key: 'p95', title: live.p95, number: true, cell: cell('p95') },
        { key: 'p99', title: live.p99, number: true, cell: cell('p99') },
      ]}
    />
  );
}
