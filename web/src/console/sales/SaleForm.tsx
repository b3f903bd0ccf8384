/** Creates a sale, or changes one: a form, then a dialog that says what will happen. */

import { type FormEvent, useRef, useState } from 'react';
import { Button, ButtonLink, Field } from '../../ui';
import { api } from '../api/calls';
import { Problem } from '../api/http';
import type { Sale } from '../api/types';
import { fromLocalInput } from '../format';
import { ActionDialog } from '../parts/ActionDialog';
import { Notice, ProblemNotice } from '../parts/Notice';
import { Panel } from '../parts/Panel';
import { go, href } from '../routes';
import { asProblem, useLoad } from '../useLoad';
import { useTongue } from '../words';
import { changes, check, type Draft, empty, emptyItem, type Errors, fromSale, type ItemDraft, toSale } from './draft';
import { ItemFields } from './ItemFields';
import { PatchTable } from './PatchTable';

export function CreateSale() {
  const { words } = useTongue();
  return <SaleForm title={words.form.createTitle} start={empty(new Date())} />;
}

export function EditSale({ id }: { id: string }) {
  const { words } = useTongue();
  const { data: sale, problem } = useLoad(`sale ${id}`, () => api.sale(id));
  if (problem) return <div className="page"><ProblemNotice problem={problem} /></div>;
  if (!sale) return <p className="page soft">{words.common.loading}</p>;
  return <SaleForm title={words.form.editTitle(sale.id)} start={fromSale(sale)} sale={sale} />;
}

function SaleForm({ title, start, sale }: { title: string; start: Draft; sale?: Sale }) {
  const { words } = useTongue();
  const { form } = words;
  const [draft, setDraft] = useState(start);
  const [tried, setTried] = useState(false);
  const [asking, setAsking] = useState(false);
  /** What the server found wrong where we did not, and with which draft. */
  const [refused, setRefused] = useState<{ draft: Draft; field: string; detail: string }>();
  const element = useRef<HTMLFormElement>(null);

  const errors: Errors = tried ? check(draft) : {};
  const errorOf = (field: string): string | undefined => {
    const wrong = errors[field];
    if (wrong) return form.errors[wrong];
    return refused?.field === field && refused.draft === draft ? refused.detail : undefined;
  };
  const set = (change: Partial<Draft>) => setDraft((old) => ({ ...old, ...change }));
  const setItem = (key: number, change: Partial<ItemDraft>) =>
    set({ items: draft.items.map((item) => (item.key === key ? { ...item, ...change } : item)) });
  const patch = sale && Object.keys(check(draft)).length === 0 ? changes(sale, draft) : undefined;
  const unchanged = patch !== undefined && Object.keys(patch).length === 0;
  const text = (field: 'id' | 'title' | 'limitPerBuyer' | 'paymentMinutes') => ({
    value: draft[field],
    onChange: (event: { target: { value: string } }) => set({ [field]: event.target.value }),
  });

  const review = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(check(draft)).length === 0) {
      if (!unchanged) setAsking(true);
      return;
    }
    // After the complaints are on the page, the first of them is where to go on.
    requestAnimationFrame(() => element.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
  };

  const run = async (reason: string) => {
    try {
      if (sale) await api.edit(sale.id, patch ?? {}, reason);
      else await api.create(toSale(draft), reason);
    } catch (error) {
      const problem = asProblem(error);
      if (problem instanceof Problem && problem.field) {
        setRefused({ draft, field: problem.field, detail: problem.detail });
        setAsking(false);
        return;
      }
      throw problem;
    }
    go({ at: 'sale', sale: draft.id, tab: 'do' });
  };

  const wrongCount = Object.keys(errors).length;
  return (
    <>
      <form ref={element} className="page narrow stack" onSubmit={review} noValidate>
        <h1>{title}</h1>
        {sale && sale.epoch > 0 && <Notice kind="info">{form.fixedAfterWarm}</Notice>}
        <Panel title={form.about}>
          <div className="fields">
            <Field label={form.id} hint={form.idHelp} error={errorOf('id')}>
              <input {...text('id')} disabled={sale !== undefined} autoComplete="off" spellCheck={false} />
            </Field>
            <Field label={form.title} hint={form.titleHelp} error={errorOf('title')}>
              <input {...text('title')} autoComplete="off" />
            </Field>
          </div>
        </Panel>
        <Panel title={form.window}>
          <div className="fields">
            <TimeField label={form.opensAt} value={draft.opensAt} error={errorOf('opensAt')} onText={(opensAt) => set({ opensAt })} />
            <TimeField label={form.closesAt} value={draft.closesAt} error={errorOf('closesAt')} onText={(closesAt) => set({ closesAt })} />
          </div>
        </Panel>
        <Panel title={form.rules}>
          <div className="fields">
            <Field label={form.limit} hint={form.limitHelp} error={errorOf('limitPerBuyer')}>
              <input inputMode="numeric" {...text('limitPerBuyer')} />
            </Field>
            <Field label={form.payment} hint={form.paymentHelp} error={errorOf('paymentWindowSeconds')}>
              <input inputMode="decimal" {...text('paymentMinutes')} />
            </Field>
          </div>
        </Panel>
        <Panel title={form.items} help={sale && form.fixedItems}>
          {draft.items.map((item, at) => (
            <ItemFields
              key={item.key}
              at={at}
              item={item}
              known={sale !== undefined}
              fixed={sale !== undefined && sale.epoch > 0}
              errorOf={(field) => errorOf(`items[${at}].${field}`)}
              onChange={(change) => setItem(item.key, change)}
              {...(!sale && draft.items.length > 1 && { onRemove: () => set({ items: draft.items.filter(({ key }) => key !== item.key) }) })}
            />
          ))}
          {!sale && (
            <div>
              <Button onClick={() => set({ items: [...draft.items, nextItem(draft.items)] })}>{form.addItem}</Button>
            </div>
          )}
        </Panel>
        {wrongCount > 0 && <Notice kind="bad">{form.check(wrongCount)}</Notice>}
        {refused && refused.draft === draft && <Notice kind="bad"><span lang="en">{refused.field} {refused.detail}</span></Notice>}
        {tried && unchanged && <Notice kind="info">{form.unchanged}</Notice>}
        <div className="row">
          <Button type="submit" weight="primary">{sale ? form.save : form.create}</Button>
          <ButtonLink weight="quiet" href={sale ? href({ at: 'sale', sale: sale.id, tab: 'do' }) : href({ at: 'sales' })}>
            {words.common.cancel}
          </ButtonLink>
        </div>
      </form>
      {asking && (
        <ActionDialog
          title={sale ? words.do.save.title : words.do.create.title}
          what={sale ? words.do.save.what : words.do.create.what}
          confirm={sale ? words.do.save.confirm : words.do.create.confirm}
          run={run}
          onClose={() => setAsking(false)}
        >
          {sale && patch && <PatchTable sale={sale} patch={patch} />}
        </ActionDialog>
      )}
    </>
  );
}

/** A moment in the operator's zone; UTC is shown as it is typed. */
function TimeField({ label, value, error, onText }: { label: string; value: string; error: string | undefined; onText: (text: string) => void }) {
  const { words, format } = useTongue();
  const moment = fromLocalInput(value);
  const hint = `${words.common.yourTime(format.zone())}${moment ? ` · ${words.common.utc(format.utc(moment))}` : ''}`;
  return (
    <Field label={label} hint={hint} error={error}>
      <input type="datetime-local" step={1} value={value} onChange={(event) => onText(event.target.value)} />
    </Field>
  );
}

function nextItem(items: ItemDraft[]): ItemDraft {
  return emptyItem(Math.max(-1, ...items.map(({ key }) => key)) + 1, items.at(-1)?.currency);
}
