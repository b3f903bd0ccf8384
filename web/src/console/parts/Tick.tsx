/** A box to tick, as large as a finger. */

import { useId } from 'react';

interface Props {
  label: string;
  checked: boolean;
  onTick: (on: boolean) => void;
  error?: string | undefined;
  /** The label is for screen readers only: a table's header says it already. */
  bare?: boolean;
}

export function Tick({ label, checked, onTick, error, bare = false }: Props) {
  const id = useId();
  return (
    <div className="tick">
      <label htmlFor={id}>
        <input
          id={id}
          type="checkbox"
          checked={checked}
          aria-describedby={error ? `${id}-error` : undefined}
          aria-invalid={error ? true : undefined}
          onChange={(event) => onTick(event.target.checked)}
        />
        <span className={bare ? 'unseen' : undefined}>{label}</span>
      </label>
      {error && (
        <span id={`${id}-error`} className="error">
          {error}
        </span>
      )}
    </div>
  );
}
