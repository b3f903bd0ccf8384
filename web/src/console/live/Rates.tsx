/** Asked, accepted and refused per second, over the whole sale. */

import { useMemo, useState } from 'react';
import { Table } from '../../ui';
import { useTongue } from '../words';
import { Legend, newestFirst } from './BurnDown';
import { Chart } from './Chart';
import { ChartPanel } from './ChartPanel';
import type { Sample, Series } from './series';

const RATES = ['asked', 'accepted'] as const;

export function Rates({ series }: { series: Series }) {
  const { words, format } = useTongue();
  const { live } = words;
  const [point, setPoint] = useState<number | null>(null);
  const { samples } = series;
  const data = useMemo<[number[], ...number[][]]>(
    () => [samples.map(({ at }) => at), ...RATES.map((rate) => samples.map((sample) => sample[rate]))],
    [samples],
  );
  const [first, last] = [samples[0], samples.at(-1)];
  const shown = (point === null ? undefined : samples[point]) ?? last;
  const cell = (rate: 'asked' | 'accepted' | 'refused') => ({
    key: rate,
    title: live[rate],
    number: true,
    cell: (sample: Sample) => format.short(sample[rate]),
  });
  return (
    <ChartPanel
      title={live.rates}
      className="rates"
      chart={
        first && last ? (
          <>
            <Legend at={shown?.at} entries={RATES.map((rate) => ({ level: rate, value: shown ? format.short(shown[rate]) : '' }))} />
            <Chart
              label={live.chartOf(live.rates, format.clock(first.at * 1_000), format.clock(last.at * 1_000))}
              lines={RATES.map((rate) => ({ label: live[rate], color: `--${rate}`, width: 2 }))}
              data={data}
              value={format.short}
              onPoint={setPoint}
            />
          </>
        ) : (
          <p className="soft empty">{live.noPoints}</p>
        )
      }
      table={() => (
        <Table
          caption={live.rates} hidden
          rows={newestFirst(samples)}
          rowKey={({ at }) => at}
          columns={[
            { key: 'time', title: live.time, heads: true, cell: ({ at }) => format.clock(at * 1_000) },
            cell('asked'),
            cell('accepted'),
            cell('refused'),
          ]}
        />
      )}
    />
  );
}
