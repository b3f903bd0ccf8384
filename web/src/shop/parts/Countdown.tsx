import { span } from '../../i18n';
import { useNow } from '../data/clock';
import { useSay } from '../words';

/** How long until an instant, as text: 04:59, or 2 d 04:59:10. */
export function useLeft(until: number): string {
  const say = useSay();
  const { days, digits } = span(until - useNow(until));
  return days > 0 ? say('days', { days, digits }) : digits;
}

/** The same, drawn. Screen readers can look at it; it does not speak by itself, see `Announcer`. */
export function Countdown({ until, large = false, label }: { until: number; large?: boolean; label: string }) {
  const left = useLeft(until);
  return <span role="timer" aria-live="off" aria-label={`${label} ${left}`} className={`digits ${large ? 'huge' : ''}`}>{left}</span>;
}
