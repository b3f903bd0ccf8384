/** One rule that all gateways keep together. */

import { Button, Field } from '../../ui';
import { useTongue } from '../words';
import { ACTIONS, ALGORITHMS, type RuleEdit, SUBJECTS } from './rates';

interface Props {
  rule: RuleEdit;
  errorOf: (field: string) => string | undefined;
  onChange: (change: Partial<RuleEdit>) => void;
  onRemove: () => void;
}

export function RuleRow({ rule, errorOf, onChange, onRemove }: Props) {
  const { words } = useTongue();
  const { limits } = words;
  return (
    <fieldset className="rule">
      <legend className="unseen">{rule.name || limits.add}</legend>
      <Field label={limits.name} error={errorOf('name')}>
        <input value={rule.name} disabled={rule.known} autoComplete="off" spellCheck={false} onChange={(event) => onChange({ name: event.target.value })} />
      </Field>
      <Field label={limits.action}>
        <select value={rule.action} onChange={(event) => onChange({ action: event.target.value as RuleEdit['action'] })}>
          {ACTIONS.map((action) => (
            <option key={action} value={action}>{limits.actions[action]}</option>
          ))}
        </select>
      </Field>
      <Field label={limits.subject}>
        <select value={rule.subject} onChange={(event) => onChange({ subject: event.target.value as RuleEdit['subject'] })}>
          {SUBJECTS.map((subject) => (
            <option key={subject} value={subject}>{limits.subjects[subject]}</option>
          ))}
        </select>
      </Field>
      <Field label={limits.algorithm}>
        <select value={rule.algorithm} onChange={(event) => onChange({ algorithm: event.target.value as RuleEdit['algorithm'] })}>
          {ALGORITHMS.map((algorithm) => (
            <option key={algorithm} value={algorithm}>{limits.algorithms[algorithm]}</option>
          ))}
        </select>
      </Field>
      <Field label={limits.limit} error={errorOf('limit')}>
        <input inputMode="numeric" value={rule.limit} onChange={(event) => onChange({ limit: event.target.value })} />
      </Field>
      <Field label={limits.window} error={errorOf('windowSeconds')}>
        <input inputMode="numeric" value={rule.windowSeconds} onChange={(event) => onChange({ windowSeconds: event.target.value })} />
      </Field>
      <Button weight="text" aria-label={limits.remove(rule.name)} onClick={onRemove}>{limits.removeShort}</Button>
    </fieldset>
  );
}
