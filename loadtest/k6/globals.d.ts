// k6 has a console, but @types/k6 leaves it to the DOM's types, which would also allow what k6 does not have.
declare const console: Record<'log' | 'warn' | 'error', (text: string) => void>;
