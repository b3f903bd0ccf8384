// The first storefront: lists sales, and takes one buyer from the countdown to the order.
//
// One state at a time is shown per sale; the shop's answer decides the next one, and every code has its own truthful
// sentence. An attempt is kept in sessionStorage before it is sent, so that a reload leads to the same order.
// Paying and cancelling are not offered here.

const TRIES_MAX = 10; // of one purchase without a new click; the same token can never buy twice
const WAIT_MAX_S = 60; // a longer Retry-After is told, not waited for
const TOKEN_MARGIN_MS = 10_000; // after tokens begin to be issued, for clocks
const TIMEOUT_MS = 10_000; // then a request counts as unanswered
const LOOK_MS = 2_000; // between looks at what is on the page, plus up to half as much at random
const QUANTITY_SHOWN_MAX = 10; // so that the menu stays a menu
/** What is repeated by itself, as late as the answer says. */
const AGAIN = [
  'no-answer', 'outcome-unknown', 'overloaded', 'not-ready', 'rate-limited', 'sale-paused', 'sale-not-open',
];
/** Where another try cannot help. */
const FINAL = ['sale-ended', 'limit-reached', 'quota-exceeded', 'challenge-required', 'not-found', 'discarded'];

// Words ----------------------------------------------------------------------------------------------------------

const zh = navigator.language.toLowerCase().startsWith('zh');
const locale = zh ? 'zh-CN' : navigator.language;
document.documentElement.lang = zh ? 'zh-CN' : 'en';
/** Both dictionaries are data in the page; this file has the logic. */
const words = JSON.parse(document.getElementById('words').textContent)[zh ? 'zh' : 'en'];
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const t = (key, values = {}) => fill(words[key], values);
const money = ({ amount, currency }) => {
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency, currencyDisplay: 'narrowSymbol' });
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
};
const dated = (time, style) => new Intl.DateTimeFormat(locale, style).format(new Date(time));
const moment = (time) => dated(time, { dateStyle: 'medium', timeStyle: 'short' });
const hour = (time) => dated(time, { timeStyle: 'short' });

/** What a problem means, in a sentence. One that has no words of ours speaks for itself. */
function sentence(problem) {
  const { code, limit, mayReturnUntil, resetsAt } = problem;
  const until = mayReturnUntil ?? resetsAt;
  const text = (until && words[`${code}.until`]) || (limit && words[`${code}.limit`]) || words[code];
  if (text) return fill(text, { limit, until: until && moment(until) });
  const id = problem.requestId ? ` (${problem.requestId})` : '';
  return (problem.detail || problem.title || t('wrong')) + id;
}

// The shop -------------------------------------------------------------------------------------------------------

/**
 * Asks the shop. Never throws: no answer at all is the code `no-answer`.
 * @returns {Promise<{ ok: boolean, code: string, body: any, retryAfter?: number }>} `retryAfter` in seconds
 */
async function ask(method, path, { body, bearer, wait } = {}) {
  const headers = {};
  if (body) headers['content-type'] = 'application/json';
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  if (wait) headers.prefer = `wait=${wait}`;
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), signal });
    const seconds = answer.headers.get('retry-after');
    const retryAfter = seconds && /^\d+$/.test(seconds) ? Number(seconds) : undefined;
    const text = await answer.json().catch(() => null);
    if (answer.ok && text) return { ok: true, code: 'ok', body: text, retryAfter };
    const problem = text ?? { title: `HTTP ${answer.status}` };
    return { ok: false, code: problem.code ?? 'no-problem', body: problem, retryAfter };
  } catch {
    return { ok: false, code: 'no-answer', body: { code: 'no-answer' } };
  }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const stored = (store, key) => JSON.parse(store.getItem(key) ?? 'null');

/** The server's clock in ms: the sample with the shortest way is nearest to the truth. Monotonic in between. */
let ahead = Date.now() - performance.now();
const now = () => performance.now() + ahead;
async function setClock(samples) {
  let shortest = Infinity;
  for (let sample = 0; sample < samples; sample += 1) {
    const sent = performance.now();
    const answer = await ask('GET', '/api/v1/time');
    const way = performance.now() - sent;
    if (answer.ok && way < shortest) {
      shortest = way;
      ahead = Date.parse(answer.body.now) + way / 2 - (sent + way);
    }
    await pause(120);
  }
}

let asking = null;
/** This browser's demo buyer; asked for once, however many want to know. The answer is the shop's, or one like it. */
async function demoBuyer() {
  const known = stored(localStorage, 'buyer');
  if (known) return { ok: true, code: 'ok', body: known };
  asking ??= ask('POST', '/api/v1/demo/buyers', { body: {} });
  const answer = await asking;
  asking = null;
  if (answer.code === 'not-found') return { ok: false, code: 'unauthenticated', body: { code: 'unauthenticated' } };
  if (answer.ok) localStorage.setItem('buyer', JSON.stringify(answer.body));
  return answer;
}

/**
 * The payload for a challenge (a proof of work as ALTCHA's widget does it), or nothing where this browser cannot: its
 * cryptography is for pages that came over TLS, or from this machine.
 */
async function solved(challenge) {
  const { algorithm, cost, nonce, salt, keyPrefix, keyLength } = challenge.parameters;
  if (!crypto.subtle) return undefined;
  const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
  const hex = (key) => Array.from(key, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const password = new Uint8Array([...bytes(nonce), 0, 0, 0, 0]);
  const counted = new DataView(password.buffer, password.length - 4);
  const derive = async () => {
    if (algorithm === 'SHA-256') {
      let key = new Uint8Array([...bytes(salt), ...password]);
      for (let round = 0; round < cost; round += 1) key = new Uint8Array(await crypto.subtle.digest('SHA-256', key));
      return key;
    }
    const key = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits']);
    const how = { name: 'PBKDF2', hash: 'SHA-256', salt: bytes(salt), iterations: cost };
    return new Uint8Array(await crypto.subtle.deriveBits(how, key, keyLength * 8));
  };
  for (let counter = 0; now() / 1_000 < challenge.parameters.expiresAt; counter += 1) {
    counted.setUint32(0, counter);
    const derivedKey = hex(await derive());
    if (derivedKey.startsWith(keyPrefix)) return btoa(JSON.stringify({ challenge, solution: { counter, derivedKey } }));
  }
  return undefined;
}

/** A token for the sale, or the answer that refused it. A buyer that the shop has forgotten is replaced once. */
async function fetchToken(id, again = true) {
  const buyer = await demoBuyer();
  introduce();
  if (!buyer.ok) return buyer;
  const path = `/api/v1/sales/${encodeURIComponent(id)}/tokens`;
  const wish = (altcha) => ask('POST', path, { body: { channel: 'web', altcha }, bearer: buyer.body.accessToken });
  let answer = await wish();
  if (answer.code === 'challenge-required') {
    const altcha = await solved(answer.body.challenge);
    if (altcha) answer = await wish(altcha);
  }
  if (answer.ok) tokens.set(id, answer.body);
  if (answer.code !== 'unauthenticated' || !again) return answer;
  localStorage.removeItem('buyer');
  return fetchToken(id, false);
}

// Buying ---------------------------------------------------------------------------------------------------------

const sales = new Map();
const tokens = new Map();
/** When to fetch a sale's token: a random moment before the opening, so that not all buyers come at once. */
const tokenAt = new Map();
const choices = new Map();
/** @type {Map<string, { at: 'sending' | 'again' | 'queued' | 'placed' | 'refused', [more: string]: any }>} */
const buying = new Map();
const attemptKey = (id) => `attempt:${id}`;

function choose(id, change) {
  choices.set(id, { ...choices.get(id), ...change });
  render();
}

function become(id, state, said = '') {
  buying.set(id, state);
  if (shown === id) render(said);
}

/** Asks until there is an answer, as late as each one says. */
async function insist(id, question) {
  for (let tries = 1; ; tries += 1) {
    become(id, { at: 'sending' });
    const answer = await question();
    const seconds = answer.retryAfter ?? Math.min(2 ** tries, 8);
    if (!AGAIN.includes(answer.code) || seconds > WAIT_MAX_S || tries >= TRIES_MAX) return answer;
    become(id, { at: 'again', until: now() + seconds * 1_000, problem: answer.body }, sentence(answer.body));
    await pause(seconds * 1_000 + Math.random() * 500); // never earlier, and not all pages at once
  }
}

/** One click. The button is disabled from here until there is an answer. */
async function buy(id, item, quantity) {
  if (['sending', 'again', 'queued'].includes(buying.get(id)?.at)) return;
  become(id, { at: 'sending' });
  if (!(Date.parse(tokens.get(id)?.expiresAt) > now() + 1_000)) {
    const answer = await insist(id, () => fetchToken(id));
    if (!answer.ok) return refuse(id, answer);
  }
  const { token, jobId } = tokens.get(id);
  await send(id, { token, jobId, item, quantity });
}

/** Sends an attempt, kept first, with the same token each time. */
async function send(id, attempt) {
  sessionStorage.setItem(attemptKey(id), JSON.stringify(attempt));
  const { token, item, quantity } = attempt;
  const path = `/api/v1/sales/${encodeURIComponent(id)}/orders`;
  const answer = await insist(id, () => ask('POST', path, { body: { token, item, quantity }, wait: 2 }));
  return answer.ok ? follow(id, answer.body) : refuse(id, answer);
}

/** Asks for a job as often as it says, until it is placed or refused. */
async function follow(id, job) {
  tokens.delete(id);
  while (job.status === 'queued') {
    become(id, { at: 'queued' }, t('queued'));
    await pause(job.pollAfterMs ?? 1_000);
    const answer = await ask('GET', `/api/v1/jobs/${job.jobId}`);
    if (answer.ok) job = answer.body;
    else if (AGAIN.includes(answer.code)) await pause((answer.retryAfter ?? 2) * 1_000);
    else return refuse(id, answer);
  }
  if (job.status === 'refused') return refuse(id, { body: { code: job.reason, detail: job.message } });
  const bearer = stored(localStorage, 'buyer')?.accessToken;
  const order = job.orderUrl ? await ask('GET', job.orderUrl, { bearer }) : null;
  become(id, { at: 'placed', job, order: order?.ok ? order.body : null }, t('yours'));
}

/** The job as it stands; where it never arrived, or nobody can say, `otherwise`. */
async function find(id, jobId, otherwise) {
  become(id, { at: 'sending' });
  const answer = await ask('GET', `/api/v1/jobs/${jobId}`);
  return answer.ok ? follow(id, answer.body) : otherwise(answer);
}

function refuse(id, { body: problem, retryAfter = 0 }) {
  // An attempt that may have gone through is kept: the next try, or a reload, asks with the same token.
  if (!AGAIN.includes(problem.code)) {
    sessionStorage.removeItem(attemptKey(id));
    tokens.delete(id);
  }
  become(id, { at: 'refused', problem, until: now() + retryAfter * 1_000 }, sentence(problem));
}

/** After a reload: the job of the attempt that was made, or the attempt again. */
function resume(id) {
  const attempt = stored(sessionStorage, attemptKey(id));
  if (!attempt || buying.has(id)) return;
  choices.set(id, { item: attempt.item, quantity: attempt.quantity });
  find(id, attempt.jobId, () => send(id, attempt));
}

// The page -------------------------------------------------------------------------------------------------------

/** An element; `on…` are listeners, the rest attributes; nothing is ever parsed as HTML. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value) element.setAttribute(name, value);
  }
  element.append(...children.flat(2).filter((child) => child || child === ''));
  return element;
}

const main = document.getElementById('main');
/** The sale on the page; `null` shows the list. */
let shown = null;
let loaded = false;

/** What the sale is now, by the server's clock: its window may have begun or ended since it was read. */
function phaseOf(sale) {
  if (sale.phase === 'scheduled' && now() >= Date.parse(sale.opensAt)) return 'open';
  if (sale.phase !== 'ended' && now() >= Date.parse(sale.closesAt)) return 'ended';
  return sale.phase;
}
const isGone = (item) => item.soldPercent >= 100 || ['none', 'out', 'soldOut', 'sold-out', 0].includes(item.stockLevel);

const two = (number) => String(Math.floor(number)).padStart(2, '0');
/** How long until then: 04:59, 23:59:59, or days and a time. */
function short(time) {
  const left = Math.max(0, Math.ceil((time - now()) / 1_000));
  const hours = left >= 3_600 ? [(left / 3_600) % 24] : [];
  const digits = [...hours, (left / 60) % 60, left % 60].map(two).join(':');
  return left >= 86_400 ? t('days-and', { days: Math.floor(left / 86_400), digits }) : digits;
}
/** Text that counts down by itself, see `turnClocks`. */
const until = (time, size = '') => h('span', { class: `digits ${size}`, 'data-until': time }, short(time));

function turnClocks() {
  for (const text of document.querySelectorAll('[data-until]')) text.textContent = short(Number(text.dataset.until));
}

/** There are no pictures yet: the first letter, on a colour that is always the same for it. */
function art(text) {
  const element = h('span', { class: 'art', 'aria-hidden': 'true' }, [...text][0] ?? '');
  const hue = [...text].reduce((sum, letter) => (sum + letter.codePointAt(0) * 137) % 360, 0);
  element.style.setProperty('--hue', hue);
  return element;
}

function list() {
  const rank = (sale) => ['open', 'scheduled', 'paused', 'soldOut', 'ended'].indexOf(phaseOf(sale));
  const rows = [...sales.values()].sort((a, b) => rank(a) - rank(b) || Date.parse(a.opensAt) - Date.parse(b.opensAt));
  if (!rows.length) return [h('p', { class: 'plain' }, t('nothing'))];
  return [h('h1', {}, t('today')), h('p', { class: 'lead' }, t('lead')), h('ul', { class: 'board' }, rows.map(row))];
}

function row(sale) {
  const phase = phaseOf(sale);
  const [cheapest] = sale.items.map((item) => item.price).sort((a, b) => a.amount - b.amount);
  const price = money(cheapest);
  const word = h('span', { class: phase === 'open' ? 'live' : 'over' }, t(phase));
  return h('li', {}, h('a', { class: 'row', href: `#/${encodeURIComponent(sale.id)}` },
    h('span', { class: 'name' }, sale.title),
    h('span', { class: 'more' }, sale.items.length > 1 ? t('from', { price, count: sale.items.length }) : price),
    h('span', { class: 'when' }, phase === 'scheduled' ? until(Date.parse(sale.opensAt)) : word)));
}

function itemRow(sale, item, chosen) {
  const gone = isGone(item);
  const pick = sale.items.length > 1;
  const input = pick && h('input', {
    type: 'radio', name: 'item', id: `item-${item.id}`, checked: item === chosen, disabled: gone,
    onchange: () => choose(sale.id, { item: item.id }),
  });
  return h(pick ? 'label' : 'div', { class: `item${pick ? ' pick' : ''}${gone ? ' gone' : ''}` }, input,
    art(item.title), h('span', { class: 'name' }, item.title), h('span', { class: 'price' }, money(item.price)),
    h('span', { class: 'stock' },
      h('progress', { max: 100, value: item.soldPercent, 'aria-label': t('sold') }),
      h('span', {}, gone ? t('soldOut') : t('percent', { percent: item.soldPercent }))));
}

/** What is to be said, and what the one button does; a button without `act` is disabled. */
function situation(sale, item, quantity) {
  const state = buying.get(sale.id);
  const phase = phaseOf(sale);
  const purchase = () => buy(sale.id, item.id, quantity);
  switch (state?.at) {
    case 'sending': return { headline: t('asking'), label: t('moment'), busy: true };
    case 'again': return { headline: sentence(state.problem), label: [t('again'), until(state.until)], busy: true };
    case 'queued': return { headline: t('queued'), note: t('leave'), label: t('writing'), busy: true };
    case 'refused': {
      const headline = sentence(state.problem);
      const { code, jobId } = state.problem;
      if (code === 'limit-reached' && jobId) {
        const show = () => find(sale.id, jobId, (answer) => refuse(sale.id, answer));
        return { headline, label: t('show'), act: show, others: true };
      }
      const attempt = stored(sessionStorage, attemptKey(sale.id));
      if (!attempt && (FINAL.includes(code) || phase !== 'open')) return { headline, others: true };
      const fixed = attempt !== null; // the same token buys the same thing
      if (state.until > now()) return { headline, label: [t('again'), until(state.until)], fixed, others: true };
      const act = fixed ? () => send(sale.id, attempt) : purchase;
      return { headline, label: t('retry'), act, fixed, others: true };
    }
  }
  const opens = Date.parse(sale.opensAt);
  switch (phase) {
    case 'scheduled': return {
      note: t('opens', { time: moment(opens) }), clock: until(opens, 'huge'), label: t('early'),
    };
    case 'open': return {
      headline: t('open'), note: [t('ends'), until(Date.parse(sale.closesAt))], label: t('buy'), live: true,
      act: isGone(item) ? undefined : purchase,
    };
    case 'soldOut': return { headline: t('sold-out'), note: t('returns'), label: t('soldOut') };
    case 'paused': return { headline: t('sale-paused'), note: t('resumes'), label: t('paused') };
    default: return { headline: t('sale-ended'), label: t('ended') };
  }
}

function counter(sale, item, quantity) {
  const { headline, note, clock, label, busy, act, live, fixed, others } = situation(sale, item, quantity);
  const most = Math.min(sale.limitPerBuyer, QUANTITY_SHOWN_MAX);
  const numbers = Array.from({ length: most }, (_, at) => at + 1);
  const onchange = (event) => choose(sale.id, { quantity: Number(event.target.value) });
  const total = h('div', { class: 'total' },
    most > 1 && !busy && !fixed
      ? h('label', {}, t('quantity'), h('select', { id: 'quantity', onchange },
        numbers.map((number) => h('option', { selected: number === quantity }, String(number)))))
      : h('span', { class: 'soft' }, t('limit', { limit: sale.limitPerBuyer })),
    h('b', {}, money({ ...item.price, amount: item.price.amount * quantity })));
  const attributes = { id: 'buy', type: 'button', class: busy ? 'buy busy' : 'buy', disabled: !act, onclick: act };
  return h('section', { class: 'counter' },
    headline && h('p', { class: live ? 'headline live' : 'headline' }, headline),
    note && h('p', { class: 'soft' }, note), clock && h('p', { role: 'timer' }, clock),
    label && [total, h('button', attributes, label)],
    others && h('a', { class: 'link', href: '#/' }, t('others')));
}

function receipt(sale, { job, order }) {
  const bought = sale.items.find((one) => one.id === job.item) ?? sale.items[0];
  const line = (name, value) => [h('dt', {}, name), h('dd', {}, value)];
  const kept = order?.status === 'pending_payment' && order.expiresAt;
  return h('section', { class: 'receipt' },
    h('p', { class: 'headline' }, t('yours')),
    h('dl', {},
      line(t('item'), `${bought.title} × ${job.quantity}`),
      line(t('total'), money(order?.amount ?? { ...bought.price, amount: bought.price.amount * job.quantity })),
      order?.status && line(t('status'), words[order.status] ?? order.status),
      line(t('order'), h('code', {}, job.jobId))),
    kept && h('p', {}, t('kept', { time: hour(kept) })),
    h('p', { class: 'soft' }, t('unpaid')),
    h('a', { class: 'link', href: '#/' }, t('others')));
}

function detail(sale) {
  const choice = choices.get(sale.id) ?? {};
  const free = sale.items.filter((item) => !isGone(item));
  const item = sale.items.find((one) => one.id === choice.item && !isGone(one)) ?? free[0] ?? sale.items[0];
  const state = buying.get(sale.id);
  const counterOrReceipt = state?.at === 'placed' ? receipt(sale, state) : counter(sale, item, choice.quantity ?? 1);
  return [
    h('a', { class: 'back', href: '#/' }, t('back')),
    h('div', { class: 'sale' },
      h('section', { class: 'goods' }, h('h1', {}, sale.title),
        h('fieldset', { class: 'items' },
          h('legend', {}, sale.items.length > 1 ? t('choose') : t('inside')),
          sale.items.map((one) => itemRow(sale, one, item)))),
      h('div', { class: 'side' }, counterOrReceipt)),
  ];
}

/** Draws the page anew where it differs, and gives the focus back. */
function render(said) {
  if (!loaded) return;
  if (said) document.getElementById('say').textContent = said;
  const sale = sales.get(shown);
  const wanted = shown === null ? list() : sale ? detail(sale) : [h('p', { class: 'plain' }, t('not-found'))];
  turnClocks(); // so that a second gone by is no difference
  const fresh = h('main', {}, wanted);
  if (fresh.innerHTML === main.innerHTML) return;
  const focused = document.activeElement?.id;
  main.replaceChildren(...fresh.childNodes);
  if (focused && focused !== 'main') (document.getElementById(focused) ?? main).focus();
}

/** Who is buying, and a way to be somebody else; every attempt of the former buyer is forgotten. */
function introduce() {
  const onclick = async () => {
    localStorage.removeItem('buyer');
    for (const known of [tokens, buying, tokenAt, sessionStorage]) known.clear();
    await demoBuyer();
    introduce();
    render();
  };
  const name = stored(localStorage, 'buyer')?.buyer;
  const parts = name ? [h('span', {}, name), h('button', { type: 'button', onclick }, t('another'))] : [];
  document.getElementById('who').replaceChildren(...parts);
}

/** Reads the sale on the page, or all of them; what could not be read stays as it was. */
async function look() {
  const wanted = shown;
  const answer = await ask('GET', wanted === null ? '/api/v1/sales' : `/api/v1/sales/${encodeURIComponent(wanted)}`);
  if (answer.ok) {
    const read = wanted === null ? (answer.body.sales ?? answer.body) : [answer.body];
    if (wanted === null) sales.clear();
    for (const sale of read) sales.set(sale.id, sale);
  } else if (answer.code === 'not-found') sales.delete(wanted);
  loaded = true;
  render();
}

/** Four times a second: clocks, the moment of opening, and the token's moment. */
let before = '';
function tick() {
  turnClocks();
  const sale = sales.get(shown);
  const phase = sale && phaseOf(sale);
  const seen = [...sales.values()].map(phaseOf).join() + (buying.get(shown)?.until < now());
  if (seen !== before) render(phase === 'open' && !buying.has(shown) ? t('open') : '');
  before = seen;
  if (!['scheduled', 'open'].includes(phase) || buying.has(shown)) return;
  if (!tokenAt.has(sale.id)) {
    const first = Math.max(now(), Date.parse(sale.tokensFrom) + TOKEN_MARGIN_MS);
    const last = Math.max(first, Date.parse(sale.opensAt) - 2_000);
    tokenAt.set(sale.id, first + Math.random() * (last - first));
  }
  if (now() < tokenAt.get(sale.id)) return;
  tokenAt.set(sale.id, Infinity); // the click fetches another one where this one has expired by then
  fetchToken(sale.id).then((answer) => {
    if (!answer.ok && AGAIN.includes(answer.code)) tokenAt.set(sale.id, now() + (answer.retryAfter ?? 5) * 1_000);
  });
}

async function route() {
  shown = location.hash.slice(2) || null;
  render();
  scrollTo(0, 0);
  await look();
  if (sales.has(shown)) resume(shown);
}

addEventListener('hashchange', () => { main.focus(); route(); });
document.addEventListener('visibilitychange', () => { if (!document.hidden) setClock(3).then(look); });
setInterval(tick, 250);
setInterval(() => setClock(3), 60_000);
setClock(5);
route();
demoBuyer().then(introduce);
for (;;) {
  await pause(LOOK_MS * (1 + Math.random() / 2));
  if (!document.hidden) await look();
}
