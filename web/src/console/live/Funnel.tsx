/** What buyers were told, the whole sale, as bars that are a table at the same time. */

import type { LiveEvent } from '../api/types';
import { Bars } from '../parts/Bars';
import { Panel } from '../parts/Panel';
import { useTongue } from '../words';
import { answers } from './answers';

export function Funnel({ funnel }: { funnel: LiveEvent['funnel'] }) {
  const { words, format } = useTongue();
  const { live, code } = words;
  return (
    <Panel title={live.funnel} {...(funnel && { help: live.funnelHelp(format.number(funnel.asked)) })} className="funnel">
      {funnel && funnel.asked > 0 ? (
        <Bars
          caption={live.funnel}
          heads={[live.code, live.count, live.share]}
          total={funnel.asked}
          bars={answers(funnel).map(({ answer, count }) => ({ name: code[answer] ?? answer, kind: answer, count }))}
        />
      ) : (
        <p className="soft empty">{live.noPoints}</p>
      )}
    </Panel>
  );
}
