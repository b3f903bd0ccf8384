import { useTongue } from '../words';

/** A moment in the operator's zone, with UTC below it. */
export function Moment({ at, utc = true }: { at: string | null | undefined; utc?: boolean }) {
  const { words, format } = useTongue();
  if (!at) return <>{words.common.none}</>;
  return (
    <time dateTime={at} className="moment">
      {format.time(at)}
      {utc && <small>{words.common.utc(format.utc(at))}</small>}
    </time>
  );
}
