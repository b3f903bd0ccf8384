/** One item in the form of a sale. */

import { Button, Field } from '../../ui';
import { useTongue } from '../words';
import type { ItemDraft } from './draft';

interface Props {
  at: number;
  item: ItemDraft;
  /** The item exists: its id and title stay. */
  known: boolean;
  /** The sale is warm: price and stock stay too. */
  fixed: boolean;
  errorOf: (field: string) => string | undefined;
  onChange: (change: Partial<ItemDraft>) => void;
  onRemove?: () => void;
}

export function ItemFields({ at, item, known, fixed, errorOf, onChange, onRemove }: Props) {
  const { words } = useTongue();
  const { form } = words;
  return (
    <fieldset className="item-fields">
      <legend>{form.item(at + 1)}</legend>
      <Field label={form.itemId} error={errorOf('id')}>
        <input value={item.id} disabled={known} autoComplete="off" spellCheck={false} onChange={(event) => onChange({ id: event.target.value })} />
      </Field>
      <Field label={form.itemTitle} error={errorOf('title')}>
        <input value={item.title} disabled={known} autoComplete="off" onChange={(event) => onChange({ title: event.target.value })} />
      </Field>
      <Field label={form.price} error={errorOf('price.amount')}>
        <input inputMode="decimal" value={item.price} disabled={fixed} onChange={(event) => onChange({ price: event.target.value })} />
      </Field>
      <Field label={form.currency} error={errorOf('price.currency')}>
        <input value={item.currency} maxLength={3} disabled={fixed} onChange={(event) => onChange({ currency: event.target.value.toUpperCase() })} />
      </Field>
      <Field label={form.stock} error={errorOf('stock')}>
        <input inputMode="numeric" value={item.stock} disabled={fixed} onChange={(event) => onChange({ stock: event.target.value })} />
      </Field>
      {onRemove && (
        <Button weight="text" onClick={onRemove}>
          {form.removeItem(at + 1)}
        </Button>
      )}
    </fieldset>
  );
}
