/** The queue, the gateways and every dependency: well or not, and how long ago that was known. */

import { Icon } from '../parts/Icon';
import { Panel } from '../parts/Panel';
import { href } from '../routes';
import { useTongue } from '../words';
import type { Now } from './state';

export function Health({ now }: { now: Now }) {
  const { words, format } = useTongue();
  const { live } = words;
  const { queue, deadLetters, gateways, dependencies } = now;
  return (
    <Panel title={live.health} className="health">
      <ul className="facts">
        {dependencies?.map(({ name, ok, ageMs }) => (
          <li key={name} className={ok ? 'ok' : 'bad'}>
            <Icon name={ok ? 'ok' : 'bad'} />
            <b>{words.dependency[name] ?? name}</b>
            <span>{ok ? live.ok : live.notOk}</span>
            <span className="soft digits">{live.agoTime(format.ms(ageMs))}</span>
          </li>
        ))}
        {gateways?.map(({ instance, ageMs }) => (
          <li key={instance} className={ageMs > GATEWAY_LATE_MS ? 'bad' : 'ok'}>
            <Icon name={ageMs > GATEWAY_LATE_MS ? 'bad' : 'ok'} />
            <b>{instance}</b>
            <span>{live.gateway}</span>
            <span className="soft digits">{live.agoTime(format.ms(ageMs))}</span>
          </li>
        ))}
      </ul>
      <dl className="pairs">
        <div>
          <dt>{live.queue}</dt>
          <dd>
            <b className="digits">{queue ? format.number(queue.depth) : words.common.none}</b> {live.queueDepth}
            {queue && queue.depth > 0 && queue.oldestSeconds != null && (
              <span className="soft"> · {live.queueOldest} {format.ms(queue.oldestSeconds * 1_000)}</span>
            )}
          </dd>
        </div>
        <div>
          <dt>{live.deadLetters}</dt>
          <dd className={deadLetters ? 'bad' : undefined}>
            <a href={href({ at: 'letters' })}>
              <b className="digits">{deadLetters === undefined ? words.common.none : format.number(deadLetters)}</b>
            </a>
          </dd>
        </div>
      </dl>
    </Panel>
  );
}

/** Gateways report each second; one that is silent for longer has stopped or hangs. */
const GATEWAY_LATE_MS = 5_000;
