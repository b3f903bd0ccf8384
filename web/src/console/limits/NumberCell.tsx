/** A number in a table: marked when it is not what holds now, and says so when it is impossible. */

import { useId } from 'react';

interface Props {
  label: string;
  value: string;
  was?: string;
  error: string | undefined;
  onText: (text: string) => void;
}

export function NumberCell({ label, value, was, error, onText }: Props) {
  const id = useId();
  const edited = was !== undefined && was !== value;
  return (
    <div className={`field number-cell ${edited ? 'edited' : ''}`}>
      <input
        aria-label={label}
        inputMode="numeric"
        value={value}
        aria-invalid={error ? true : undefined}
        aria-describedby={error ? id : undefined}
        onChange={(event) => onText(event.target.value)}
      />
      {error && (
        <span className="error" id={id}>
          {error}
        </span>
      )}
    </div>
  );
}
