// The purchases of this page, one for each sale: they outlive what is drawn.
import { useSyncExternalStore } from 'react';
import { browser, createPurchase, type Buying, type Purchase } from 'seckill-purchase';
import { clock } from './clock';
import { login } from './login';
import type { Sale } from './shop';

interface Kept { purchase: Purchase; prepared: string | undefined }
const kept = new Map<string, Kept>();
const surroundings = browser(clock.now);

/** The purchase of a sale; what this tab had sent before a reload goes on at once. */
export function purchaseOf(sale: string): Purchase {
  return entry(sale).purchase;
}

function entry(sale: string): Kept {
  let one = kept.get(sale);
  if (!one) {
    one = { purchase: createPurchase({ ...surroundings, sale, channel: 'web', login }), prepared: undefined };
    kept.set(sale, one);
    void one.purchase.resume();
  }
  return one;
}

/** Sees to it that the ticket is there before the opening; a sale that is open leaves that to the tap. */
export function prepare({ id, tokensFrom, opensAt, phase }: Sale) {
  const one = entry(id);
  const window = `${tokensFrom} ${opensAt}`;
  if (one.prepared === window || phase !== 'scheduled' || clock.now() >= Date.parse(opensAt)) return;
  one.prepared = window;
  void one.purchase.prepare({ tokensFrom, opensAt });
}

export function useBuying(purchase: Purchase): Buying {
  return useSyncExternalStore(purchase.subscribe, () => purchase.state);
}

/** Another buyer: nothing of the former one goes on. */
export function forgetPurchases() {
  for (const { purchase } of kept.values()) purchase.stop();
  kept.clear();
}
