import type { Sale, SalePatch } from '../api/types';
import { type Difference, OldNew } from '../parts/OldNew';
import { useTongue } from '../words';

/** What a change of a sale changes. */
export function PatchTable({ sale, patch }: { sale: Sale; patch: SalePatch }) {
  const { words, format } = useTongue();
  const { form } = words;
  const differences: Difference[] = [];
  const add = (what: string, before: string, after: string | undefined) => {
    if (after !== undefined && after !== before) differences.push({ what, before, after });
  };
  const time = (at: string) => `${format.time(at)} (${words.common.utc(format.utc(at))})`;
  add(form.title, sale.title, patch.title);
  add(form.opensAt, time(sale.opensAt), patch.opensAt && time(patch.opensAt));
  add(form.closesAt, time(sale.closesAt), patch.closesAt && time(patch.closesAt));
  add(form.limit, format.number(sale.limitPerBuyer), patch.limitPerBuyer?.toString());
  const seconds = patch.paymentWindowSeconds;
  add(form.payment, format.span(sale.paymentWindowSeconds), seconds === undefined ? undefined : format.span(seconds));
  for (const { id, price, stock } of patch.items ?? []) {
    const old = sale.items.find((item) => item.id === id);
    if (!old) continue;
    const cost = ({ amount, currency }: { amount: number; currency: string }) => format.money(amount, currency);
    add(`${id}: ${form.price}`, cost(old.price), price && cost(price));
    add(`${id}: ${form.stock}`, format.number(old.stock), stock === undefined ? undefined : format.number(stock));
  }
  return <OldNew caption={words.do.save.title} differences={differences} />;
}
