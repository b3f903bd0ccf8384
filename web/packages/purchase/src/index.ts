export { createClock, type Clock } from './clock';
export { createPurchase, type Options, type Purchase, type Window } from './purchase';
export { RULES, type Rule } from './rules';
export { createShared, unshared, type Shared } from './shared';
export { browser, type News, type Store, type Surroundings } from './surroundings';
export { CODES, type Attempt, type Buying, type Challenge, type Code, type Job, type Login, type Next, type Problem, type Ticket } from './types';
