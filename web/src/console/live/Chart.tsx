/** A uPlot chart that keeps its size, its colours and its data in step with the page. */

import { useEffect, useRef, useSyncExternalStore } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Line {
  label: string;
  /** A colour of the page, as the name of its custom property. */
  color: string;
  fill?: boolean;
  width?: number;
}

interface Props {
  /** What the picture shows, for those who cannot see it. */
  label: string;
  lines: Line[];
  /** Seconds since 1970, then one array for each line. */
  data: uPlot.AlignedData;
  value: (value: number) => string;
  /** The position under the pointer, or `null`: for a legend that tells its values. */
  onPoint?: (at: number | null) => void;
}

const HEIGHT_MIN = 80;
const AXIS_FONT_PX = 12;

export function Chart({ label, lines, data, value, onPoint }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const latest = useRef({ data, value, onPoint });
  const dark = useDark();
  useEffect(() => {
    latest.current = { data, value, onPoint };
  });
  const shape = JSON.stringify(lines);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const made = new uPlot(options(element, lines, latest), latest.current.data, element);
    plot.current = made;
    const sized = new ResizeObserver(() => {
      const { width, height } = size(element);
      if (width > 0 && (width !== made.width || height !== made.height)) made.setSize({ width, height });
    });
    sized.observe(element);
    return () => {
      sized.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [shape, dark]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [data]);

  return <div className="chart" ref={box} role="img" aria-label={label} />;
}

function size(element: HTMLElement) {
  return { width: element.clientWidth, height: Math.max(HEIGHT_MIN, element.clientHeight) };
}

type Latest = { current: { value: (value: number) => string; onPoint: ((at: number | null) => void) | undefined } };

function options(element: HTMLElement, lines: Line[], latest: Latest): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: color('--soft'),
    font: `${AXIS_FONT_PX}px ${style.fontFamily}`,
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
    gap: 6,
  };
  return {
    ...size(element),
    padding: [8, 30, 0, 0],
    // The grid stays visible above filled areas.
    drawOrder: ['series', 'axes'] as unknown as uPlot.DrawOrderKey[],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: { x: { time: true }, y: { range: (_, __, max) => [0, Math.max(1, max * 1.05)] } },
    axes: [
      { ...axis, size: 28, values: '{HH}:{mm}:{ss}', space: 90 } as uPlot.Axis,
      { ...axis, size: 52, values: (_, splits) => splits.map((split) => latest.current.value(split)), space: 36 },
    ],
    series: [
      {},
      ...lines.map(({ label, color: name, fill, width = 1.5 }): uPlot.Series => ({
        label,
        stroke: color(name),
        ...(fill && { fill: color(name) }),
        width: fill ? 0 : width,
        points: { show: false },
        spanGaps: true,
      })),
    ],
    hooks: { setCursor: [({ cursor }) => latest.current.onPoint?.(cursor.idx ?? null)] },
  };
}

const scheme = typeof window === 'undefined' ? undefined : window.matchMedia('(prefers-color-scheme: dark)');

function useDark(): boolean {
  return useSyncExternalStore(
    (changed) => {
      scheme?.addEventListener('change', changed);
      return () => scheme?.removeEventListener('change', changed);
    },
    () => scheme?.matches ?? false,
  );
}
