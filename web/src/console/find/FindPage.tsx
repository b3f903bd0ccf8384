import { useTongue } from '../words';
import { Finder } from './Finder';

export function FindPage({ text }: { text: string }) {
  const { words } = useTongue();
  return (
    <div className="page narrow stack">
      <h1>{words.find.title}</h1>
      <Finder key={text} text={text} />
    </div>
  );
}
