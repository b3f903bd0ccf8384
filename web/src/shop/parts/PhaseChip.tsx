import { useSay } from '../words';
import type { Phase } from '../sale/phase';

export function PhaseChip({ phase }: { phase: Phase }) {
  const say = useSay();
  return <span className={`chip ${phase}`}>{say(phase)}</span>;
}
