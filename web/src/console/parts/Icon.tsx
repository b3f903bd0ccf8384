/** The few signs that stand beside a word, never instead of one. */

const PATHS = {
  ok: 'M4 10.5l4 4 8-9',
  bad: 'M5 5l10 10M15 5L5 15',
  warn: 'M10 3v9M10 16v1',
  info: 'M10 9v8M10 4v1',
  unknown: 'M5 10h10',
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg className={`icon ${name}`} viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} fill="none" stroke="currentColor" strokeWidth="2.2" strokeLinecap="round" />
    </svg>
  );
}
