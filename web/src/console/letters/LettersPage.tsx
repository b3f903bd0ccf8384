import { useTongue } from '../words';
import { Letters } from './Letters';

export function LettersPage() {
  const { words } = useTongue();
  return (
    <div className="page stack">
      <h1>{words.letters.title}</h1>
      <p className="soft lead">{words.letters.intro}</p>
      <Letters />
    </div>
  );
}
