import type { HTMLAttributes } from 'react';

/** A sheet of paper on the page. */
export function Card({ className, ...rest }: HTMLAttributes<HTMLElement>) {
  return <section className={`card ${className ?? ''}`} {...rest} />;
}
