/** Where the units are, stacked to the whole stock, over the whole sale. */

import { useMemo, useState } from 'react';
import { type Column, Table } from '../../ui';
import { useTongue } from '../words';
import { Chart, type Line } from './Chart';
import { ChartPanel } from './ChartPanel';
import type { Sample, Series } from './series';
import { LEVELS, stacked } from './stacked';

export function BurnDown({ series }: { series: Series }) {
  const { words, format } = useTongue();
  const { live } = words;
  const [point, setPoint] = useState<number | null>(null);
  const { samples } = series;
  const data = useMemo(() => stacked(samples), [samples]);
  // The tallest is drawn first; each lower sum covers its part of it.
  const lines: Line[] = [...LEVELS].reverse().map((level) => ({ label: live[level], color: `--${level}`, fill: true }));
  const first = samples[0];
  const last = samples.at(-1);
  const shown = (point === null ? undefined : samples[point]) ?? last;

  const columns: Column<Sample>[] = [
    { key: 'time', title: live.time, heads: true, cell: ({ at }) => format.clock(at * 1_000) },
    ...[...LEVELS].reverse().map((level) => ({
      key: level,
      title: live[level],
      number: true,
      cell: (sample: Sample) => format.number(sample[level]),
    })),
  ];
  return (
    <ChartPanel
      title={live.burnDown}
      className="burn-down"
      chart={
        first && last ? (
          <>
            <Legend at={shown?.at} entries={[...LEVELS].reverse().map((level) => ({ level, value: shown ? format.number(shown[level]) : '' }))} />
            <Chart
              label={live.chartOf(live.burnDown, format.clock(first.at * 1_000), format.clock(last.at * 1_000))}
              lines={lines}
              data={data}
              value={format.short}
              onPoint={setPoint}
            />
          </>
        ) : (
          <p className="soft empty">{live.noPoints}</p>
        )
      }
      table={() => <Table caption={live.burnDownTable} hidden columns={columns} rows={newestFirst(samples)} rowKey={({ at }) => at} />}
    />
  );
}

interface LegendProps {
  at: number | undefined;
  entries: { level: string; value: string }[];
}

/** The values under the pointer, or the newest. */
export function Legend({ at, entries }: LegendProps) {
  const { words, format } = useTongue();
  const names: Record<string, string | unknown> = words.live;
  return (
    <div className="legend" aria-hidden="true">
      {entries.map(({ level, value }) => (
        <span key={level}>
          <i className={`swatch ${level}`} />
          {String(names[level])} <b className="digits">{value}</b>
        </span>
      ))}
      {at !== undefined && <span className="soft digits">{format.clock(at * 1_000)}</span>}
    </div>
  );
}

/** Rows that a person can look through; the picture has them all. */
const ROWS_MAX = 300;

export function newestFirst(samples: Sample[]): Sample[] {
  return samples.slice(-ROWS_MAX).reverse();
}
