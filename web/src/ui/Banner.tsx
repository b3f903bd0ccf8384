import type { ReactNode } from 'react';

/** What kind of news it is. */
export type Tone = 'info' | 'good' | 'warn' | 'bad';

interface Props {
  tone?: Tone;
  title: ReactNode;
  children?: ReactNode;
  /** Read out at once when it appears. */
  live?: boolean;
}

/** One sentence that matters, and what follows from it. */
export function Banner({ tone = 'info', title, children, live }: Props) {
  return (
    <div className={`banner ${tone}`} role={live ? (tone === 'bad' ? 'alert' : 'status') : undefined}>
      <strong>{title}</strong>
      {children}
    </div>
  );
}
