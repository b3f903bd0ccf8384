/** Numbers, times and amounts as operators read them. Nothing here knows React. */

import { type Language, locale as localeOf } from '../i18n';

const SPAN_UNITS: Record<Language, { d: string; h: string; min: string; s: string; ms: string }> = {
  en: { d: ' d', h: ' h', min: ' min', s: ' s', ms: ' ms' },
  zh: { d: ' 天', h: ' 小时', min: ' 分', s: ' 秒', ms: ' 毫秒' },
};

export interface Format {
  number(value: number): string;
  /** 1,234 · 12.3k · 4.5M: for tiles and axes. */
  short(value: number): string;
  /** Of a whole, in percent with at most one decimal. */
  percent(part: number, whole: number): string;
  /** 21 Nov 2026, 18:30:05, in the operator's zone. */
  time(at: string | number | Date): string;
  /** The same without the date. */
  clock(at: string | number | Date): string;
  /** The same moment in UTC. */
  utc(at: string | number | Date): string;
  /** Two largest units of a span. */
  span(seconds: number): string;
  /** A number of milliseconds, as short as it stays truthful. */
  ms(value: number): string;
  money(amount: number, currency: string): string;
  list(parts: string[]): string;
  /** The operator's time zone, as people call it. */
  zone(): string;
}

export function formats(lang: Language): Format {
  const locale = localeOf(lang);
  const span = SPAN_UNITS[lang];
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const one = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const share = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
  const day: Intl.DateTimeFormatOptions = { year: 'numeric', month: lang === 'en' ? 'short' : 'numeric', day: 'numeric' };
  const clock: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' };
  const times = new Intl.DateTimeFormat(locale, { ...day, ...clock });
  const clocks = new Intl.DateTimeFormat(locale, clock);
  const utcs = new Intl.DateTimeFormat(locale, { ...day, ...clock, timeZone: 'UTC' });
  const lists = new Intl.ListFormat(locale, { type: 'unit', style: 'short' });
  return {
    number: (value) => whole.format(value),
    short(value) {
      const size = Math.abs(value);
      if (size >= 999_950) return `${one.format(value / 1e6)}M`;
      if (size >= 10_000) return `${one.format(value / 1e3)}k`;
      return size < 10 ? one.format(value) : whole.format(value);
    },
    percent: (part, total) => share.format(total > 0 ? part / total : 0),
    time: (at) => times.format(new Date(at)),
    clock: (at) => clocks.format(new Date(at)),
    utc: (at) => utcs.format(new Date(at)),
    span(seconds) {
      const s = Math.max(0, Math.round(seconds));
      if (s < 60) return `${s}${span.s}`;
      if (s < 3_600) return pair(s, 60, span.min, 1, span.s);
      if (s < 86_400) return pair(s, 3_600, span.h, 60, span.min);
      return pair(s, 86_400, span.d, 3_600, span.h);
    },
    ms(value) {
      if (value >= 1_000) return `${one.format(value / 1_000)}${span.s}`;
      return `${value < 10 ? one.format(value) : whole.format(value)}${span.ms}`;
    },
    money: (amount, currency) =>
      new Intl.NumberFormat(locale, { style: 'currency', currency, currencyDisplay: 'narrowSymbol' }).format(amount / 10 ** digits(currency)),
    list: (parts) => lists.format(parts),
    zone: () => zoneName(locale),
  };
}

function pair(s: number, big: number, bigName: string, small: number, smallName: string): string {
  const rest = Math.floor((s % big) / small);
  return `${Math.floor(s / big)}${bigName}${rest > 0 ? ` ${rest}${smallName}` : ''}`;
}

function zoneName(locale: string): string {
  const parts = new Intl.DateTimeFormat(locale, { timeZoneName: 'short' }).formatToParts(new Date());
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? 'UTC';
}

/** Decimals of a currency: 2 for CNY, 0 for JPY, 3 for KWD. */
export function digits(currency: string): number {
  try {
    const format = new Intl.NumberFormat('en', { style: 'currency', currency });
    return format.resolvedOptions().maximumFractionDigits ?? 2;
  } catch {
    return 2;
  }
}

/** The same moment in the form of `<input type="datetime-local">`, in the operator's zone. */
export function toLocalInput(at: string | number | Date): string {
  const moment = new Date(at);
  const local = new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19);
}

/** The moment that the field names, or `undefined` while it names none. */
export function fromLocalInput(text: string): Date | undefined {
  const moment = new Date(text);
  return text === '' || Number.isNaN(moment.getTime()) ? undefined : moment;
}
