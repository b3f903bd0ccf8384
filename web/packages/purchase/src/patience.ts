// How long an answer is waited for.

/** A signal that aborts with `signal`, and when nothing was heard for `ms`. */
export function patience(signal: AbortSignal, ms: number) {
  const controller = new AbortController();
  const end = () => controller.abort();
  let timer = setTimeout(end, ms);
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  return {
    signal: controller.signal,
    /** Something was heard: begins anew. */
    heard() {
      clearTimeout(timer);
      timer = setTimeout(end, ms);
    },
    done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
    },
  };
}
