// The first storefront: lists sales, and takes one buyer from the countdown to the order.
//
// One state at a time is shown per sale; the shop's answer decides the next one, and every code has its own truthful
// sentence. An attempt is kept in sessionStorage before it is sent, so that a reload leads to the same order.
// Paying and cancelling are not offered here.

/** Purchases are repeated with the same token, which can never buy twice, at most this often without a new click. */
const TRIES_MAX = 10;
/** Seconds: a longer wait is told, not waited for. */
const WAIT_MAX_S = 60;
/** Seconds before opening in which the shop issues tokens, less a margin for clocks. */
const TOKEN_LEAD_S = 590;
/** Milliseconds until an unanswered request counts as unanswered. */
const TIMEOUT_MS = 10_000;
/** Milliseconds between looks at a sale that is being watched, plus up to half as much at random. */
const LOOK_MS = 2_000;
/** What is repeated by itself, as late as the answer says. */
const AGAIN = ['no-answer', 'outcome-unknown', 'overloaded', 'not-ready', 'rate-limited', 'sale-paused', 'sale-not-open'];
/** Tokens that nothing was bought with: a new one is needed. */
const NEW_TOKEN = ['token-expired', 'token-invalid', 'token-mismatch'];

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

async function demoBuyer(fresh = false) {
  let buyer = fresh ? null : stored(localStorage, 'buyer');
  if (!buyer) {
    const answer = await ask('POST', '/api/v1/demo/buyers', { body: {} });
    if (!answer.ok) return null;
    buyer = answer.body;
    localStorage.setItem('buyer', JSON.stringify(buyer));
    introduce(buyer);
  }
  return buyer;
}

/** A token for the sale, or the answer that refused it. A buyer that the shop has forgotten is replaced once. */
async function fetchToken(id) {
  for (const fresh of [false, true]) {
    const buyer = await demoBuyer(fresh);
    if (!buyer) return { ok: false, code: 'unauthenticated', body: { code: 'unauthenticated' } };
    const path = `/api/v1/sales/${encodeURIComponent(id)}/tokens`;
    const answer = await ask('POST', path, { body: { channel: 'web' }, bearer: buyer.accessToken });
    if (answer.ok) tokens.set(id, answer.body);
    if (answer.code !== 'unauthenticated') return answer;
  }
  return { ok: false, code: 'unauthenticated', body: { code: 'unauthenticated' } };
}

// Buying ---------------------------------------------------------------------------------------------------------

const sales = new Map();
const tokens = new Map();
/** When to fetch a sale's token: a random moment before the opening, so that not all buyers come at once. */
const tokenAt = new Map();
const choices = new Map();
/** @type {Map<string, { at: 'idle' | 'sending' | 'again' | 'queued' | 'placed' | 'refused', [more: string]: any }>} */
const buying = new Map();
const attemptKey = (id) => `attempt:${id}`;

function become(id, state, said = '') {
  buying.set(id, state);
  if (shown === id) render(said);
}

/** One click. The button is disabled from here until there is an answer. */
async function buy(id, item, quantity) {
  if (['sending', 'again', 'queued'].includes(buying.get(id)?.at)) return;
  become(id, { at: 'sending' });
  const token = tokens.get(id);
  if (!token || Date.parse(token.expiresAt) < now() + 1_000) {
    const answer = await fetchToken(id);
    if (!answer.ok) return refuse(id, answer.body);
  }
  const { token: text, jobId } = tokens.get(id);
  await send(id, { token: text, jobId, item, quantity });
}

/** Sends an attempt until there is an answer to it, with the same token each time. */
async function send(id, attempt) {
  sessionStorage.setItem(attemptKey(id), JSON.stringify(attempt));
  become(id, { at: 'sending' });
  const { token, item, quantity } = attempt;
  for (let tries = 1; ; tries += 1) {
    const path = `/api/v1/sales/${encodeURIComponent(id)}/orders`;
    const answer = await ask('POST', path, { body: { token, item, quantity }, wait: 2 });
    if (answer.ok) return follow(id, answer.body);
    const seconds = AGAIN.includes(answer.code) ? (answer.retryAfter ?? Math.min(2 ** tries, 8)) : null;
    if (seconds === null || seconds > WAIT_MAX_S || tries >= TRIES_MAX) return refuse(id, answer.body);
    become(id, { at: 'again', until: now() + seconds * 1_000, problem: answer.body }, sentence(answer.body));
    await pause(seconds * 1_000);
  }
}

/** Asks for a job as often as it says, until it is placed or refused. */
async function follow(id, job) {
  tokens.delete(id);
  while (job.status === 'queued') {
    become(id, { at: 'queued', job }, t('reserved'));
    await pause(job.pollAfterMs ?? 1_000);
    const answer = await ask('GET', `/api/v1/jobs/${job.jobId}`);
    if (answer.ok) job = answer.body;
    else if (AGAIN.includes(answer.code)) await pause((answer.retryAfter ?? 2) * 1_000);
    else return refuse(id, answer.body);
  }
  if (job.status === 'refused') return refuse(id, { code: job.reason, detail: job.message });
  const buyer = stored(localStorage, 'buyer');
  const order = job.orderUrl && buyer ? await ask('GET', job.orderUrl, { bearer: buyer.accessToken }) : null;
  become(id, { at: 'placed', job, order: order?.ok ? order.body : null }, t('yours'));
}

function refuse(id, problem) {
  // An attempt that may have gone through is kept: the next try, or a reload, asks with the same token.
  const open = AGAIN.includes(problem.code);
  if (!open) sessionStorage.removeItem(attemptKey(id));
  if (NEW_TOKEN.includes(problem.code)) tokens.delete(id);
  become(id, { at: 'refused', problem }, sentence(problem));
}

/** After a reload: the job of the attempt that was made, or the attempt again where it never arrived. */
async function resume(id) {
  const attempt = stored(sessionStorage, attemptKey(id));
  if (!attempt || buying.has(id)) return;
  become(id, { at: 'sending' });
  const answer = await ask('GET', `/api/v1/jobs/${attempt.jobId}`);
  if (answer.ok) return follow(id, answer.body);
  return send(id, attempt);
}

// The page -------------------------------------------------------------------------------------------------------

/** An element; `on…` are listeners, the rest attributes; nothing is ever parsed as HTML. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const main = document.getElementById('main');
/** The sale on the page; `null` shows the list. */
let shown = null;

/** What the sale is now, by the server's clock: its window may have begun or ended since it was read. */
function phaseOf(sale) {
  if (sale.phase === 'scheduled' && now() >= Date.parse(sale.opensAt)) return 'open';
  if (sale.phase !== 'ended' && now() >= Date.parse(sale.closesAt)) return 'ended';
  return sale.phase;
}
const PHASES = {
  draft: t('draft'), scheduled: t('scheduled'), open: t('open'), paused: t('paused'),
  soldOut: t('soldOut'), ended: t('ended'),
};
const isGone = (item) => item.soldPercent >= 100 || ['none', 'out', 'soldOut', 'sold-out', 0].includes(item.stockLevel);

/** d, h, m, s until then. */
function parts(time) {
  const left = Math.max(0, Math.ceil((time - now()) / 1_000));
  return [Math.floor(left / 86_400), Math.floor(left / 3_600) % 24, Math.floor(left / 60) % 60, left % 60];
}
const two = (number) => String(number).padStart(2, '0');
const short = (time) => {
  const [days, hours, minutes, seconds] = parts(time);
  return days ? `${days}${t('day')}${two(hours)}:${two(minutes)}` : `${hours ? `${hours}:` : ''}${two(minutes)}:${two(seconds)}`;
};

function art(text) {
  const element = h('span', { class: 'art', 'aria-hidden': 'true' }, [...text][0] ?? '');
  let hue = 7;
  for (const letter of text) hue = (hue * 31 + letter.codePointAt(0)) % 360;
  element.style.setProperty('--hue', hue);
  return element;
}

function list() {
  const order = ['open', 'scheduled', 'paused', 'soldOut', 'ended'];
  const rows = [...sales.values()].sort((a, b) =>
    order.indexOf(phaseOf(a)) - order.indexOf(phaseOf(b)) || Date.parse(a.opensAt) - Date.parse(b.opensAt));
  if (!rows.length) return [h('p', { class: 'plain' }, t('nothing'))];
  return [
    h('h1', {}, t('today')),
    h('p', { class: 'lead' }, t('lead')),
    h('ul', { class: 'board' }, rows.map((sale) => {
      const phase = phaseOf(sale);
      const price = money(sale.items.map((item) => item.price).reduce((low, one) => (one.amount < low.amount ? one : low)));
      const from = sale.items.length > 1 ? t('from', { price, count: sale.items.length }) : price;
      return h('li', {}, h('a', { class: 'row', href: `#/${encodeURIComponent(sale.id)}` },
        h('span', { class: 'name' }, sale.title), h('span', { class: 'more' }, from),
        phase === 'scheduled'
          ? h('span', { class: 'digits', 'data-until': Date.parse(sale.opensAt) }, short(Date.parse(sale.opensAt)))
          : h('span', { class: `digits word ${phase === 'open' ? 'live' : 'over'}` }, PHASES[phase])));
    })),
  ];
}

function itemRow(sale, item, chosen) {
  const gone = isGone(item);
  const pick = sale.items.length > 1;
  const input = pick && h('input', {
    type: 'radio', name: 'item', id: `item-${item.id}`, checked: item === chosen, disabled: gone,
    onchange: () => { choices.set(sale.id, { ...choices.get(sale.id), item: item.id }); render(); },
  });
  return h(pick ? 'label' : 'div', { class: `item${pick ? ' pick' : ''}${gone ? ' gone' : ''}` }, input,
    art(item.title), h('span', { class: 'name' }, item.title), h('span', { class: 'price' }, money(item.price)),
    h('span', { class: 'stock' },
      h('progress', { max: 100, value: item.soldPercent, 'aria-label': t('sold') }),
      h('span', {}, gone ? PHASES.soldOut : t('percent', { percent: item.soldPercent }))));
}

function clock(time) {
  const [days, hours, minutes, seconds] = parts(time);
  const faces = [[hours, t('hours')], [minutes, t('minutes')], [seconds, t('seconds')]];
  if (days) faces.unshift([days, t('days')]);
  return h('div', { class: 'clock', role: 'timer', 'data-clock': time },
    faces.map(([number, unit]) => h('div', {}, h('b', {}, two(number)), h('small', {}, unit))));
}

function counter(sale, item, quantity) {
  const state = buying.get(sale.id) ?? { at: 'idle' };
  const phase = phaseOf(sale);
  const opens = Date.parse(sale.opensAt);
  const button = (text, busy) => h('button', {
    id: 'buy', type: 'button', class: `buy${busy ? ' busy' : ''}`, disabled: busy || phase !== 'open' || isGone(item),
    onclick: () => buy(sale.id, item.id, quantity),
  }, text);
  const again = () => state.at === 'refused' && { ...stored(sessionStorage, attemptKey(sale.id)) };
  const parcel = (...children) => h('section', { class: 'counter buying' }, children);
  const total = h('div', { class: 'total' },
    sale.limitPerBuyer > 1 && state.at === 'idle'
      ? h('label', { for: 'quantity' }, t('quantity'), h('select', {
        id: 'quantity', onchange: (event) => { choices.set(sale.id, { ...choices.get(sale.id), quantity: Number(event.target.value) }); render(); },
      }, Array.from({ length: Math.min(sale.limitPerBuyer, 10) }, (_, at) => h('option', { value: at + 1, selected: at + 1 === quantity }, String(at + 1)))))
      : h('span', { class: 'soft' }, t('limit', { limit: sale.limitPerBuyer })),
    h('b', {}, money({ ...item.price, amount: item.price.amount * quantity })));
  switch (state.at) {
    case 'sending': return parcel(h('p', { class: 'headline' }, t('asking')), total, button(t('moment'), true));
    case 'again': return parcel(h('p', { class: 'headline' }, sentence(state.problem)), total,
      h('button', { id: 'buy', type: 'button', class: 'buy busy', disabled: true },
        t('again'), h('span', { 'data-until': state.until }, short(state.until))));
    case 'queued': return parcel(h('p', { class: 'headline' }, t('queued')),
      h('p', { class: 'soft' }, t('leave')), total, button(t('writing'), true));
    case 'placed': return receipt(sale, item, state);
    case 'refused': {
      const { code, jobId } = state.problem;
      const attempt = again();
      const retry = h('button', { id: 'buy', type: 'button', class: 'buy', onclick: () => (attempt?.token ? send(sale.id, attempt) : buy(sale.id, item.id, quantity)) }, t('retry'));
      const show = jobId && h('button', { id: 'buy', type: 'button', class: 'buy', onclick: () => follow(sale.id, { jobId, status: 'queued', pollAfterMs: 0 }) }, t('show'));
      const final = ['sale-ended', 'challenge-required', 'not-found', 'quota-exceeded'].includes(code) || phase === 'ended' || (code === 'sold-out' && !state.problem.mayReturnUntil);
      return parcel(h('p', { class: 'headline' }, sentence(state.problem)), code === 'limit-reached' && show ? show : !final && retry,
        h('a', { class: 'link', href: '#/' }, t('others')));
    }
  }
  if (phase === 'scheduled') return parcel(h('p', { class: 'soft' }, t('opens', { time: moment(opens) })), clock(opens), total, button(t('early')));
  if (phase === 'open') return parcel(h('p', { class: 'headline live' }, PHASES.open), h('p', { class: 'soft' }, t('ends'), h('span', { class: 'digits', 'data-until': Date.parse(sale.closesAt) }, short(Date.parse(sale.closesAt)))), total, button(t('buy')));
  const why = { soldOut: 'sold-out', paused: 'sale-paused', ended: 'sale-ended' }[phase];
  return parcel(h('p', { class: 'headline' }, sentence({ code: why })),
    phase === 'soldOut' && h('p', { class: 'soft' }, t('returns')), total, button(PHASES[phase]));
}

function receipt(sale, item, { job, order }) {
  const bought = sale.items.find((one) => one.id === job.item) ?? item;
  const row = (name, value) => [h('dt', {}, name), h('dd', {}, value)];
  const statuses = { pending_payment: t('pending_payment'), paid: t('paid'), expired: t('expired'), cancelled: t('cancelled') };
  return h('section', { class: 'receipt' },
    h('p', { class: 'headline' }, t('yours')),
    h('dl', {}, row(t('item'), `${bought.title} × ${job.quantity}`),
      row(t('total'), money(order?.amount ?? { ...bought.price, amount: bought.price.amount * job.quantity })),
      order?.status ? row(t('status'), statuses[order.status] ?? order.status) : null,
      row(t('order'), h('code', {}, job.jobId))),
    order?.status === 'pending_payment' && order.expiresAt ? h('p', {}, t('kept', { time: hour(order.expiresAt) })) : null,
    h('p', { class: 'soft' }, t('unpaid')),
    h('a', { class: 'link', href: '#/' }, t('others')));
}

function detail(sale) {
  const choice = choices.get(sale.id) ?? {};
  const free = sale.items.filter((item) => !isGone(item));
  const item = sale.items.find((one) => one.id === choice.item && !isGone(one)) ?? free[0] ?? sale.items[0];
  return [
    h('a', { class: 'back', href: '#/' }, t('back')),
    h('div', { class: 'sale' },
      h('section', { class: 'goods' }, h('h1', {}, sale.title),
        h('fieldset', { class: 'items' }, h('legend', {}, sale.items.length > 1 ? t('choose') : t('inside')),
          sale.items.map((one) => itemRow(sale, one, item)))),
      h('div', { class: 'side' }, counter(sale, item, choice.quantity ?? 1))),
  ];
}

/** Draws the page anew where it differs, and gives the focus back. */
function render(said) {
  if (said) document.getElementById('say').textContent = said;
  const sale = sales.get(shown);
  const wanted = shown === null ? list() : sale ? detail(sale) : [h('p', { class: 'plain' }, sentence({ code: 'not-found' }))];
  const fresh = h('main', {}, wanted);
  if (fresh.innerHTML === main.innerHTML) return;
  const focused = document.activeElement?.id;
  main.replaceChildren(...fresh.childNodes);
  if (focused && focused !== 'main') (document.getElementById(focused) ?? main).focus();
}

function introduce(buyer) {
  const another = h('button', { type: 'button', onclick: async () => {
    tokens.clear(); buying.clear(); sessionStorage.clear(); tokenAt.clear();
    await demoBuyer(true);
    render();
  } }, t('another'));
  document.getElementById('who').replaceChildren(h('span', {}, buyer.buyer), another);
}

/** Reads the sale on the page, or all of them; what could not be read stays as it was. */
async function look() {
  const answer = await ask('GET', shown === null ? '/api/v1/sales' : `/api/v1/sales/${encodeURIComponent(shown)}`);
  if (answer.ok) {
    const read = answer.body.items && answer.body.id ? [answer.body] : (answer.body.sales ?? answer.body);
    if (shown === null) sales.clear();
    for (const sale of read) sales.set(sale.id, sale);
  } else if (answer.code === 'not-found') sales.delete(shown);
  render();
}

/** Four times a second: clocks, the moment of opening, and the token's moment. */
let phases = '';
function tick() {
  for (const element of document.querySelectorAll('[data-until]')) element.textContent = short(Number(element.dataset.until));
  for (const face of document.querySelectorAll('[data-clock]')) {
    const numbers = parts(Number(face.dataset.clock)).slice(-face.children.length);
    numbers.forEach((number, at) => { face.children[at].firstChild.textContent = two(number); });
  }
  const seen = [...sales.values()].map(phaseOf).join();
  if (seen !== phases) { phases = seen; render(); }
  const sale = sales.get(shown);
  if (!sale || !['scheduled', 'open'].includes(phaseOf(sale)) || (buying.get(sale.id)?.at ?? 'idle') !== 'idle') return;
  if (!tokenAt.has(sale.id)) {
    const first = Math.max(now(), Date.parse(sale.opensAt) - TOKEN_LEAD_S * 1_000);
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
  const id = decodeURIComponent(location.hash.slice(2));
  shown = id === '' ? null : id;
  render();
  scrollTo(0, 0);
  await look();
  if (shown !== null) resume(shown);
}

addEventListener('hashchange', route);
document.addEventListener('visibilitychange', () => { if (!document.hidden) setClock(3).then(look); });
await Promise.all([setClock(5), route(), demoBuyer().then((buyer) => buyer && introduce(buyer))]);
setInterval(tick, 250);
setInterval(() => setClock(3), 60_000);
for (;;) {
  await pause(LOOK_MS * (1 + Math.random() / 2));
  if (!document.hidden) await look();
}
