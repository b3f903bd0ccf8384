import { Button } from '../../ui';
import { useTongue } from '../words';

interface Props {
  count: number;
  flawless: boolean;
  onUndo: () => void;
  onReview: () => void;
}

/** What was typed and holds nowhere yet. */
export function ReviewBar({ count, flawless, onUndo, onReview }: Props) {
  const { words } = useTongue();
  const { limits } = words;
  return (
    <div className="review" role="status">
      <span>{flawless ? limits.changes(count) : limits.fixFirst}</span>
      <div className="row">
        <Button onClick={onUndo}>{limits.discardEdits}</Button>
        <Button weight="primary" disabled={!flawless || count === 0} onClick={onReview}>{limits.review}</Button>
      </div>
    </div>
  );
}
