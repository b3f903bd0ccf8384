/** A sentence that we may have in the page's language; else it is the server's own, which is English. */
export function Told({ says, told }: { says: string; told: string }) {
  return <span lang={says === told ? 'en' : undefined}>{says}</span>;
}
