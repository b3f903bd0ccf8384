// Money, moments and spans as people write them.
import { locale } from './language';

export interface Money { amount: number; currency: string }

/** Minor units (1999 CNY is ¥19.99). */
export function money({ amount, currency }: Money): string {
  const format = new Intl.NumberFormat(locale(), { style: 'currency', currency, currencyDisplay: 'narrowSymbol' });
  return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

export const number = (value: number, digits = 0) =>
  new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);

const formatted = (time: string | number, style: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat(locale(), style).format(new Date(time));

/** 21 Nov 2026, 20:00 */
export const moment = (time: string | number) => formatted(time, { dateStyle: 'medium', timeStyle: 'short' });
/** 20:00 */
export const hour = (time: string | number) => formatted(time, { timeStyle: 'short' });
/** 20:00:07 */
export const second = (time: string | number) => formatted(time, { timeStyle: 'medium' });

const two = (value: number) => String(Math.floor(value)).padStart(2, '0');

/** A span as a clock shows it: 04:59, 23:59:59. More than a day: days apart. */
export function span(ms: number): { days: number; digits: string } {
  const left = Math.max(0, Math.ceil(ms / 1_000));
  const hours = left >= 3_600 ? [(left / 3_600) % 24] : [];
  return { days: Math.floor(left / 86_400), digits: [...hours, (left / 60) % 60, left % 60].map(two).join(':') };
}
