/** What can be done to a sale now, what each of it means, and why the rest has to wait. */

import { useState } from 'react';
import { Button, ButtonLink } from '../../ui';
import { api } from '../api/calls';
import type { Sale } from '../api/types';
import { ActionDialog } from '../parts/ActionDialog';
import { Notice } from '../parts/Notice';
import { Panel } from '../parts/Panel';
import { href } from '../routes';
import { useTongue } from '../words';
import { ACTIONS, type Action, next, obstacle } from './actions';
import { RestockDialog } from './RestockDialog';
import { SaleFacts } from './SaleFacts';

interface Props {
  sale: Sale;
  reload: () => void;
}

export function DoTab({ sale, reload }: Props) {
  const { words, format } = useTongue();
  const [asking, setAsking] = useState<Action>();
  const [done, setDone] = useState<string>();
  const first = next(sale);
  const others = ACTIONS.filter((action) => action !== first && action !== 'close');

  const finish = (sentence: string) => {
    setAsking(undefined);
    setDone(sentence);
    reload();
  };
  const list = (actions: Action[], emphasis: 'primary' | 'quiet' | 'danger') => (
    <ul className="deeds">
      {actions.map((action) => (
        <Deed key={action} action={action} sale={sale} weight={emphasis} onAsk={() => { setDone(undefined); setAsking(action); }} />
      ))}
    </ul>
  );

  return (
    <div className="do">
      {done && <Notice kind="ok">{done}</Notice>}
      <div className="stack">
        {first && <Panel title={words.do.next}>{list([first], 'primary')}</Panel>}
        <Panel title={words.do.other}>{list(others, 'quiet')}</Panel>
        <Panel title={words.do.dangerous}>{list(['close'], 'danger')}</Panel>
      </div>
      <SaleFacts sale={sale} />
      {asking === 'restock' && <RestockDialog sale={sale} onDone={finish} onClose={() => setAsking(undefined)} />}
      {asking === 'warm' && (
        <ActionDialog
          title={`${words.do.warm.name}: ${sale.title}`}
          what={words.do.warm.what}
          confirm={words.do.warm.confirm}
          run={async (reason) => {
            const warmed = await api.warm(sale.id, reason);
            const units = warmed.items.reduce((sum, { free }) => sum + free, 0);
            finish(warmed.changed ? words.do.warm.done(words.common.units(units, format.number(units))) : words.do.warm.again);
          }}
          onClose={() => setAsking(undefined)}
        />
      )}
      {(asking === 'open' || asking === 'pause' || asking === 'resume' || asking === 'close') && (
        <ActionDialog
          title={`${words.do[asking].name}: ${sale.title}`}
          what={asking === 'open' ? words.do.open.whatWindow(format.time(sale.opensAt), format.time(sale.closesAt)) : words.do[asking].what}
          confirm={words.do[asking].confirm}
          {...(asking === 'close' && { twice: { type: sale.id } })}
          run={async (reason) => {
            await api.change(sale.id, asking, reason);
            finish(words.do[asking].done);
          }}
          onClose={() => setAsking(undefined)}
        />
      )}
    </div>
  );
}

interface DeedProps {
  action: Action;
  sale: Sale;
  weight: 'primary' | 'quiet' | 'danger';
  onAsk: () => void;
}

function Deed({ action, sale, weight, onAsk }: DeedProps) {
  const { words } = useTongue();
  const about = words.do[action];
  const why = obstacle(action, sale);
  const sentences: Record<string, unknown> = about;
  return (
    <li className={why ? 'not-now' : undefined}>
      <div>
        <h3>{about.name}</h3>
        <p className="soft">{about.what}</p>
        {why && (
          <p className="small">
            {words.do.notNow} {String(sentences[why] ?? '')}
          </p>
        )}
      </div>
      {action === 'edit' ? (
        !why && <ButtonLink href={href({ at: 'edit-sale', sale: sale.id })}>{words.do.edit.button}</ButtonLink>
      ) : (
        <Button weight={weight} disabled={why !== undefined} onClick={onAsk}>
          {words.do[action].button}
        </Button>
      )}
    </li>
  );
}
