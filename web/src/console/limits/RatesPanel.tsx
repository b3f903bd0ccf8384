/** Rate limits: of one caller, and the rules that all gateways keep together. */

import { useState } from 'react';
import { Button } from '../../ui';
import type { Limits, LimitsNow, LocalName } from '../api/types';
import { Panel } from '../parts/Panel';
import { useTongue } from '../words';
import { NumberCell } from './NumberCell';
import { check, differences, editOf, limitsOf, LOCALS, newRule, type RateEdit, type RuleEdit } from './rates';
import { ReviewBar } from './ReviewBar';
import { RuleRow } from './RuleRow';
import { Tick } from '../parts/Tick';

interface Props {
  now: LimitsNow;
  onReview: (after: Limits) => void;
}

export function RatesPanel({ now, onReview }: Props) {
  const { words, format } = useTongue();
  const { limits } = words;
  const [edit, setEdit] = useState(() => editOf(now.limits));
  const errors = check(edit);
  const flawless = Object.keys(errors).length === 0;
  const changed = JSON.stringify(edit) !== JSON.stringify(editOf(now.limits));
  const count = flawless ? differences(now.limits, limitsOf(edit)).length : 0;
  const isDefault = differences(now.limits, now.default).length === 0;

  const setRate = (name: LocalName, change: Partial<RateEdit>) =>
    setEdit((old) => ({ ...old, local: { ...old.local, [name]: { ...old.local[name], ...change } } }));
  const setRule = (key: number, change: Partial<RuleEdit>) =>
    setEdit((old) => ({ ...old, shared: old.shared.map((rule) => (rule.key === key ? { ...rule, ...change } : rule)) }));
  const errorOf = (field: string) => {
    const wrong = errors[field];
    return wrong && limits.errors[wrong];
  };
  return (
    <Panel
      title={limits.rates}
      help={limits.ratesHelp}
      actions={
        isDefault ? (
          <span className="soft small">{limits.atDefault}</span>
        ) : (
          <Button weight="text" onClick={() => onReview(now.default)}>{limits.toDefault}</Button>
        )
      }
    >
      <div className="edit-table" role="region" aria-label={limits.rates} tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">{limits.what}</th>
              <th scope="col">{limits.enabled}</th>
              <th scope="col">{limits.perSecond}</th>
              <th scope="col">{limits.burst}</th>
            </tr>
          </thead>
          <tbody>
            {LOCALS.map((name) => {
              const of = limits.local[name];
              const rate = edit.local[name];
              return (
                <tr key={name}>
                  <th scope="row">
                    {of.name}
                    <small className="soft">{of.help}</small>
                  </th>
                  <td>
                    <Tick bare label={`${of.name}: ${limits.enabled}`} checked={rate.enabled} onTick={(enabled) => setRate(name, { enabled })} />
                  </td>
                  {(['perSecond', 'burst'] as const).map((field) => (
                    <td key={field}>
                      <NumberCell
                        label={`${of.name}: ${limits[field]}`}
                        value={rate[field]}
                        was={String(now.limits.local[name][field])}
                        error={errorOf(`local.${name}.${field}`)}
                        onText={(text) => setRate(name, { [field]: text })}
                      />
                    </td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {now.limitedCallers > 0 && <p className="soft small">{limits.limitedCallers(format.number(now.limitedCallers))}</p>}
      <h3>{limits.shared}</h3>
      <p className="soft small">{limits.sharedHelp}</p>
      {edit.shared.length === 0 && <p className="small">{limits.noShared}</p>}
      <div className="rules">
        {edit.shared.map((rule, at) => (
          <RuleRow
            key={rule.key}
            rule={rule}
            errorOf={(field) => errorOf(`shared[${at}].${field}`)}
            onChange={(change) => setRule(rule.key, change)}
            onRemove={() => setEdit((old) => ({ ...old, shared: old.shared.filter(({ key }) => key !== rule.key) }))}
          />
        ))}
      </div>
      <div>
        <Button onClick={() => setEdit((old) => ({ ...old, shared: [...old.shared, newRule(old.shared)] }))}>{limits.add}</Button>
      </div>
      {changed && (
        <ReviewBar
          count={count}
          flawless={flawless}
          onUndo={() => setEdit(editOf(now.limits))}
          onReview={() => onReview(limitsOf(edit))}
        />
      )}
    </Panel>
  );
}
