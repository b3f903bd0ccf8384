/** A labelled input with its help and its complaint, tied together for screen readers. */

import { type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, useId } from 'react';

interface Frame {
  label: string;
  help?: ReactNode;
  error?: string | undefined;
  /** The label is for screen readers only: a table's header says it already. */
  bare?: boolean;
  className?: string;
}

function ids(id: string, help: ReactNode, error: string | undefined) {
  const described = [help ? `${id}-help` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ');
  return { id, 'aria-describedby': described || undefined, 'aria-invalid': error ? true : undefined };
}

function Framed({ id, label, help, error, bare, className = '', children }: Frame & { id: string; children: ReactNode }) {
  return (
    <div className={`c-field ${className}`}>
      <label htmlFor={id} className={bare ? 'c-unseen' : undefined}>
        {label}
      </label>
      {children}
      {help && (
        <div id={`${id}-help`} className="c-help">
          {help}
        </div>
      )}
      {error && (
        <div id={`${id}-error`} className="c-error">
          {error}
        </div>
      )}
    </div>
  );
}

type InputProps = Frame & Omit<InputHTMLAttributes<HTMLInputElement>, keyof Frame>;

export function Field({ label, help, error, bare, className, ...input }: InputProps) {
  const id = useId();
  return (
    <Framed {...{ id, label, help, error }} {...(bare && { bare })} {...(className && { className })}>
      <input {...ids(id, help, error)} {...input} />
    </Framed>
  );
}

type SelectProps = Frame & Omit<SelectHTMLAttributes<HTMLSelectElement>, keyof Frame>;

export function Select({ label, help, error, bare, className, children, ...select }: SelectProps) {
  const id = useId();
  return (
    <Framed {...{ id, label, help, error }} {...(bare && { bare })} {...(className && { className })}>
      <select {...ids(id, help, error)} {...select}>
        {children}
      </select>
    </Framed>
  );
}

interface AreaProps extends Frame {
  value: string;
  onText: (text: string) => void;
  maxLength?: number;
}

export function Area({ label, help, error, value, onText, maxLength }: AreaProps) {
  const id = useId();
  return (
    <Framed {...{ id, label, help, error }}>
      <textarea
        {...ids(id, help, error)}
        rows={2}
        value={value}
        maxLength={maxLength}
        onChange={(event) => onText(event.target.value)}
      />
    </Framed>
  );
}

export function Tick({ label, checked, onTick, error }: { label: string; checked: boolean; onTick: (on: boolean) => void; error?: string | undefined }) {
  const id = useId();
  return (
    <div className="c-field">
      <label className="c-tick" htmlFor={id}>
        <input type="checkbox" {...ids(id, undefined, error)} checked={checked} onChange={(event) => onTick(event.target.checked)} />
        <span>{label}</span>
      </label>
      {error && (
        <div id={`${id}-error`} className="c-error">
          {error}
        </div>
      )}
    </div>
  );
}
