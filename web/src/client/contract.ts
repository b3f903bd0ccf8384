// The purchase package knows a part of the contract by hand, so that it stands alone. Here the compiler holds that part
// against what is generated from docs/openapi.json: a field that changes there does not compile here.
import type { Challenge, Job, Ticket } from 'seckill-purchase';
import type { Schemas } from './http';

export const held = {
  job: (job: Schemas['Job']): Job => job,
  ticket: (ticket: Schemas['TokenBody']): Ticket => ticket,
  challenge: (challenge: Schemas['Challenge']): Challenge => challenge,
};
