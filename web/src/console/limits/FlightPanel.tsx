/** What may be under way at once, beside what is under way now. */

import { useState } from 'react';
import { Button } from '../../ui';
import type { Concurrency, ConcurrencyUsage, Use } from '../api/types';
import { Panel } from '../parts/Panel';
import { Tick } from '../parts/Tick';
import { useTongue } from '../words';
import { check, differences, editOf, type Entry, type FlightEdit, rulesOf } from './flight';
import { NumberCell } from './NumberCell';
import { ReviewBar } from './ReviewBar';

interface Props {
  rules: Concurrency;
  usage: ConcurrencyUsage | undefined;
  onReview: (after: Concurrency) => void;
}

export function FlightPanel({ rules, usage, onReview }: Props) {
  const { words, format } = useTongue();
  const { limits } = words;
  const [edit, setEdit] = useState(() => editOf(rules));
  const errors = check(edit);
  const flawless = Object.keys(errors).length === 0;
  const changed = JSON.stringify(edit) !== JSON.stringify(editOf(rules));
  const count = flawless ? differences(rules, rulesOf(edit)).length : 0;

  const set = (change: Partial<FlightEdit>) => setEdit((old) => ({ ...old, ...change }));
  const setEntry = (map: 'platform_max' | 'task_type_max', key: number, change: Partial<Entry>) =>
    set({ [map]: edit[map].map((entry) => (entry.key === key ? { ...entry, ...change } : entry)) });
  const errorOf = (field: string) => {
    const wrong = errors[field];
    return wrong && limits.errors[wrong];
  };
  const used = (use: Use | undefined) => (use ? format.number(use.current) : words.common.none);
  const plain = (field: 'global_max' | 'account_max' | 'timeout', name: string, now: string) => (
    <tr>
      <th scope="row">{name}</th>
      <td className="number">{now}</td>
      <td>
        <NumberCell label={name} value={edit[field]} was={String(rules[field])} error={errorOf(field)} onText={(text) => set({ [field]: text })} />
      </td>
    </tr>
  );
  const named = (map: 'platform_max' | 'task_type_max', entry: Entry, name: string, uses: Record<string, Use> | undefined) => (
    <tr key={`${map} ${entry.key}`}>
      <th scope="row">
        {entry.known ? (
          name
        ) : (
          <NumberCell label={limits.channel} value={entry.name} error={errorOf(`${map}.${entry.key}.name`)} onText={(text) => setEntry(map, entry.key, { name: text })} />
        )}
      </th>
      <td className="number">{used(uses?.[entry.name])}</td>
      <td>
        <NumberCell
          label={`${name}: ${limits.max}`}
          value={entry.max}
          {...(entry.known && { was: String(rules[map][entry.name] ?? '') })}
          error={errorOf(`${map}.${entry.key}.max`)}
          onText={(text) => setEntry(map, entry.key, { max: text })}
        />
      </td>
    </tr>
  );
  const addChannel = () => {
    const key = Math.max(-1, ...edit.platform_max.map((entry) => entry.key)) + 1;
    set({ platform_max: [...edit.platform_max, { key, known: false, name: '', max: '0' }] });
  };
  return (
    <Panel title={limits.flight} help={limits.flightHelp}>
      <Tick label={limits.flightEnabled} checked={edit.enabled} onTick={(enabled) => set({ enabled })} />
      <div className="edit-table" role="region" aria-label={limits.flight} tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">{limits.what}</th>
              <th scope="col" className="number">{limits.now}</th>
              <th scope="col">{limits.max}</th>
            </tr>
          </thead>
          <tbody>
            {plain('global_max', limits.global, used(usage?.global))}
            {plain('account_max', limits.account, words.common.none)}
            {edit.platform_max.map((entry) => named('platform_max', entry, `${limits.channel} ${entry.name}`, usage?.platforms))}
            {edit.task_type_max.map((entry) => named('task_type_max', entry, limits.taskNames[entry.name] ?? entry.name, usage?.task_types))}
            {plain('timeout', limits.timeout, words.common.none)}
          </tbody>
        </table>
      </div>
      <div>
        <Button onClick={addChannel}>{limits.addChannel}</Button>
      </div>
      {changed && (
        <ReviewBar count={count} flawless={flawless} onUndo={() => setEdit(editOf(rules))} onReview={() => onReview(rulesOf(edit))} />
      )}
    </Panel>
  );
}
