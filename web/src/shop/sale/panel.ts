// What the panel of a sale says and offers: one sentence, one next action. A pure function of what is known.
import type { Buying, Problem } from 'seckill-purchase';
import { hour, moment, span } from '../../i18n';
import type { SayShop } from '../words';
import type { Phase } from './phase';

export type Tone = 'calm' | 'live' | 'busy' | 'good' | 'warn' | 'bad';

/** What the one button does. `off`: it can be seen, and does nothing yet. */
export type Action =
  | { does: 'buy' | 'again' | 'sign-in' | 'reset'; label: string }
  | { does: 'go'; label: string; to: 'sales' | 'order'; order?: string }
  | { does: 'off'; label: string; busy?: boolean };

export interface Panel {
  tone: Tone;
  title: string;
  note?: string;
  /** Counts down to this instant, in large digits. */
  until?: number;
  action: Action;
  /** For people whom the buyer asks for help. */
  reference?: string;
  /** The choice of item and quantity cannot be changed now. */
  fixed: boolean;
  /** It is the end of something: the focus goes here. */
  result: boolean;
}

export interface Facts {
  phase: Phase;
  opensAt: number;
  buying: Buying;
  now: number;
  /** The chosen item has nothing left; others of the sale may. */
  itemGone: boolean;
  quantity: number;
  say: SayShop;
  /** Was the sale read well after the refusal, so that it may speak against it? */
  newer: boolean;
  /** May this shop hand out a demo buyer? */
  demo: boolean;
}

export function panelOf(facts: Facts): Panel {
  const { buying, say } = facts;
  switch (buying.at) {
    case 'idle': return waitingFor(facts);
    case 'asking': return {
      ...busy, title: say(buying.step === 'solving' ? 'solving' : 'asking'), note: say(buying.step === 'solving' ? 'solvingNote' : 'askingNote'),
      action: off(say('loading')),
    };
    case 'waiting': return {
      ...busy, title: sentence(buying.problem, say), note: say('againBy'), action: off(again(buying.until, facts)),
    };
    case 'queued': return { ...busy, title: say('queued'), note: say('queuedNote'), action: off(say('queuedButton')) };
    case 'placed': return {
      tone: 'good', title: say('placed'), note: say('placedNote'), fixed: true, result: true,
      action: { does: 'go', to: 'order', order: buying.job.jobId, label: say('placedPay') },
    };
    case 'refused': return refused(facts, buying);
  }
}

const busy = { tone: 'busy', fixed: true, result: false } as const;
const off = (label: string): Action => ({ does: 'off', label, busy: true });
/** "Again in 7 s", "Again in 01:30". */
function again(until: number, { now, say }: Facts): string {
  const seconds = Math.max(0, Math.ceil((until - now) / 1_000));
  return say('again', { time: seconds < 60 ? say('seconds', { seconds }) : span(until - now).digits });
}
/** What is said, and what the button says, while there is nothing to tap for. */
const LISTENING = { 'sold-out': 'watchNote', 'sale-paused': 'resumesNote', 'sale-not-open': 'earlyNote' } as const;
const CLOSED = { 'sold-out': 'soldOut', 'sale-paused': 'paused', 'sale-not-open': 'early' } as const;

/** Nothing was asked: the sale itself decides. */
function waitingFor({ phase, opensAt, itemGone, say }: Facts): Panel {
  const plain = { fixed: false, result: false } as const;
  switch (phase) {
    case 'scheduled': return {
      ...plain, tone: 'calm', title: say('opensIn'), until: opensAt, note: say('earlyNote'), action: { does: 'off', label: say('early') },
    };
    case 'open': return itemGone
      ? { ...plain, tone: 'warn', title: say('itemGone'), action: { does: 'off', label: say('none') } }
      : { ...plain, tone: 'live', title: say('openNow'), note: say('buyNote'), action: { does: 'buy', label: say('buy') } };
    case 'paused': return { ...plain, tone: 'warn', title: say('sale-paused'), note: say('resumesNote'), action: { does: 'off', label: say('paused') } };
    case 'soldOut': return { ...plain, tone: 'warn', title: say('sold-out'), note: say('watchNote'), action: { does: 'off', label: say('soldOut') } };
    case 'ended': return { ...plain, tone: 'calm', title: say('sale-ended'), action: { does: 'go', to: 'sales', label: say('otherSales') } };
  }
}

type Refused = Extract<Buying, { at: 'refused' }>;

function refused(facts: Facts, { problem, next, until }: Refused): Panel {
  const { phase, itemGone, quantity, now, newer, say, demo } = facts;
  const open = phase === 'open' && !itemGone;
  const toSales: Action = { does: 'go', to: 'sales', label: say('otherSales') };
  const panel = (tone: Tone, action: Action, note?: 'signInNote' | 'watchNote' | 'resumesNote' | 'earlyNote'): Panel => ({
    tone, title: sentence(problem, say), fixed: next === 'ask', result: true, action,
    ...(note && { note: say(note) }), ...(isOurs(problem) && problem.requestId && { reference: problem.requestId }),
  });
  if (until !== undefined && until > now && (next === 'tap' || next === 'ask')) {
    return panel('warn', { does: 'off', label: again(until, facts) });
  }
  if (problem.code === 'sold-out' && quantity > 1) {
    return { ...panel('warn', { does: 'reset', label: say('changeQuantity') }), title: say('sold-out.several', { quantity }) };
  }
  switch (next) {
    case 'order': return panel('good', problem.jobId ? { does: 'go', to: 'order', order: problem.jobId, label: say('showOrder') } : toSales);
    case 'ask': return panel('warn', { does: 'again', label: say('askAgain') });
    case 'change': return panel('warn', { does: 'reset', label: say('changeQuantity') });
    case 'sign-in': return demo ? panel('warn', { does: 'sign-in', label: say('signIn') }) : panel('warn', toSales, 'signInNote');
    case 'watch':
      if (open && newer) return waitingFor(facts);
      return panel('warn', { does: 'off', label: say(CLOSED[problem.code as keyof typeof CLOSED]) },
        LISTENING[problem.code as keyof typeof LISTENING]);
    case 'tap': return phase === 'ended' ? panel('warn', toSales) : panel('warn', open ? { does: 'buy', label: say('tryAgain') } : { does: 'off', label: say(phase) });
    case 'none': return panel('bad', toSales);
  }
}

/** Problems that are no answer to a buyer but a fault of the program: somebody will want to look them up. */
const isOurs = ({ code }: Problem) => ['malformed', 'method-not-allowed', 'too-large', 'unsupported-media-type', 'validation-failed', 'unexpected', 'unplaceable'].includes(code);

/** What a problem means, in one truthful sentence. */
export function sentence(problem: { code: string; limit?: number | null; mayReturnUntil?: string | null; resetsAt?: string | null }, say: SayShop): string {
  const { code, limit, mayReturnUntil, resetsAt } = problem;
  switch (code) {
    case 'sold-out': return mayReturnUntil ? say('sold-out.until', { until: hour(mayReturnUntil) }) : say('sold-out');
    case 'limit-reached': return limit ? say('limit-reached.limit', { limit }) : say('limit-reached');
    case 'quantity-invalid': return limit ? say('quantity-invalid.limit', { limit }) : say('quantity-invalid');
    case 'quota-exceeded': return resetsAt ? say('quota-exceeded.until', { until: moment(resetsAt) }) : say('quota-exceeded');
    case 'sale-not-open': case 'sale-paused': case 'sale-ended': case 'token-invalid': case 'token-expired': case 'token-mismatch':
    case 'challenge-required': case 'challenge-failed': case 'rate-limited': case 'overloaded': case 'not-ready': case 'outcome-unknown':
    case 'no-answer': case 'unauthenticated': case 'forbidden': case 'not-found': case 'unplaceable': case 'discarded': case 'unexpected':
    case 'conflict':
      return say(code);
    default: return say('wrong');
  }
}
