/** Adds units to an item or takes free ones out. The change has an id of its own: sent twice, it happens once. */

import { useState } from 'react';
import { Field } from '../../ui';
import { api } from '../api/calls';
import type { Sale } from '../api/types';
import { ActionDialog } from '../parts/ActionDialog';
import { whole } from '../sales/draft';
import { useTongue } from '../words';

const DELTA_MAX = 100_000_000;

interface Props {
  sale: Sale;
  onDone: (sentence: string) => void;
  onClose: () => void;
}

export function RestockDialog({ sale, onDone, onClose }: Props) {
  const { words, format } = useTongue();
  const { restock } = words.do;
  const [id] = useState(() => `console-${Date.now().toString(36)}-${crypto.getRandomValues(new Uint32Array(1))[0]?.toString(36)}`);
  const [item, setItem] = useState(sale.items[0]?.id ?? '');
  const [text, setText] = useState('');
  const [tried, setTried] = useState(false);
  const delta = whole(text, -DELTA_MAX, DELTA_MAX);
  const fine = delta !== undefined && delta !== 0;
  return (
    <ActionDialog
      title={`${restock.name}: ${sale.title}`}
      what={restock.what}
      confirm={restock.confirm}
      valid={() => {
        setTried(true);
        return fine;
      }}
      run={async (reason) => {
        const { changed, stock } = await api.restock(sale.id, { item, delta: delta ?? 0, id }, reason);
        onDone(changed ? restock.done(words.common.units(stock, format.number(stock))) : restock.again);
      }}
      onClose={onClose}
    >
      <Field label={restock.item}>
        <select value={item} onChange={(event) => setItem(event.target.value)}>
          {sale.items.map(({ id: known, title, stock }) => (
            <option key={known} value={known}>
              {title} ({format.number(stock)})
            </option>
          ))}
        </select>
      </Field>
      <Field label={restock.delta} hint={restock.deltaHelp} error={tried && !fine && restock.deltaWrong}>
        <input inputMode="text" value={text} autoComplete="off" onChange={(event) => setText(event.target.value)} />
      </Field>
    </ActionDialog>
  );
}
