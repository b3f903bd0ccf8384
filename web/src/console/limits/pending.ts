import type { Difference } from '../parts/OldNew';

/** A change that is about to be made: what it is in words, who obeys it when, and how it is made and taken back. */
export interface Pending {
  title: string;
  differences: Difference[];
  obey: string;
  run: (reason: string) => Promise<void>;
  /** The way back, as it would be once this is in force. */
  revert: () => Pending;
}
