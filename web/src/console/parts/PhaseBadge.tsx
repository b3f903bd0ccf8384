import type { Phase } from '../api/types';
import { useTongue } from '../words';

export function PhaseBadge({ phase }: { phase: Phase }) {
  const { words } = useTongue();
  return <span className={`badge ${phase}`}>{words.phase[phase] ?? phase}</span>;
}
