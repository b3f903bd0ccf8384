import type { AnchorHTMLAttributes, ButtonHTMLAttributes } from 'react';

/** How much a button weighs: one `primary` on a screen. */
export type Weight = 'primary' | 'quiet' | 'danger' | 'text';

interface Look {
  weight?: Weight;
  large?: boolean;
  wide?: boolean;
}

const classes = (weight: Weight = 'quiet', large = false, wide = false, more = '') =>
  ['button', weight, large ? 'large' : '', wide ? 'wide' : '', more].filter(Boolean).join(' ');

/** Does something here. */
export function Button({ weight, large, wide, className, ...rest }: Look & ButtonHTMLAttributes<HTMLButtonElement>) {
  return <button type="button" className={classes(weight, large, wide, className)} {...rest} />;
}

/** Goes somewhere else. */
export function ButtonLink({ weight, large, wide, className, ...rest }: Look & AnchorHTMLAttributes<HTMLAnchorElement>) {
  return <a className={classes(weight, large, wide, className)} {...rest} />;
}
