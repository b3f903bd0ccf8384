// The proof of work against ALTCHA's own code: the npm package `altcha`, which is the widget, and the solver it ships.
//
// Starts the demo with `challenge.enabled = true` on free ports of 127.0.0.1 (target/release/seckill, or SECKILL=…),
// and gets tokens from it: with the solver in Node, for each algorithm, and with the widget itself in Chromium
// (CHROMIUM=…; where there is no Chromium this says so, and the solver alone decides). Exit 0: every token was had, and
// every trick refused.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pbkdf2, sha, solveChallenge } from 'altcha/lib';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const program = process.env.SECKILL ?? here('../target/release/seckill');
const chromium = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));
const widget = JSON.parse(readFileSync(here('node_modules/altcha/package.json'), 'utf8')).version;

const freePort = () => new Promise((done) => {
  const server = createTcp().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function expect(what, found, wanted) {
  if (found !== wanted) throw new Error(`${what}: ${found}, not ${wanted}`);
  console.log(`ok  ${what}: ${found}`);
}

async function ask(base, method, path, { login, body } = {}) {
  const headers = { 'content-type': 'application/json', ...(login && { authorization: `Bearer ${login}` }) };
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  return { status: answer.status, json: await answer.json() };
}

/** The payload, as the widget builds it from its solver's answer. */
async function payloadFor(challenge) {
  const { deriveKey } = challenge.parameters.algorithm.startsWith('PBKDF2/') ? pbkdf2 : sha;
  const solution = await solveChallenge({ challenge, deriveKey });
  if (!solution) throw new Error('not solved within 90 s');
  return btoa(JSON.stringify({ challenge, solution }));
}

/** A demo that asks for this algorithm, for as long as `use` takes. */
async function withDemo(algorithm, use) {
  const [port, operators] = [await freePort(), await freePort()];
  const env = {
    ...process.env,
    SECKILL__GATEWAY__LISTEN: `127.0.0.1:${port}`,
    SECKILL__GATEWAY__OPERATORS: `127.0.0.1:${operators}`,
    SECKILL__CHALLENGE__ENABLED: 'true',
    SECKILL__CHALLENGE__ALGORITHM: algorithm,
    SECKILL__CHALLENGE__MAX_NUMBER: '200',
  };
  const demo = spawn(program, [], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const base = `http://127.0.0.1:${port}`;
  try {
    for (let tries = 0; ; tries += 1) {
      if (await fetch(`${base}/readyz`).then((answer) => answer.ok, () => false)) break;
      if (tries > 200 || demo.exitCode !== null) throw new Error('the demo does not start');
      await pause(50);
    }
    const buyer = async () => (await ask(base, 'POST', '/api/v1/demo/buyers', { body: {} })).json.accessToken;
    await use(base, buyer);
  } finally {
    demo.kill('SIGTERM');
  }
}

async function solver(base, buyer) {
  const [ann, bob] = [await buyer(), await buyer()];
  const tokens = (login, altcha) => ask(base, 'POST', '/api/v1/sales/demo/tokens', { login, body: altcha ? { altcha } : {} });
  const required = await tokens(ann);
  expect('without a solution', required.json.code, 'challenge-required');
  const payload = await payloadFor(required.json.challenge);
  expect("with another buyer's", (await tokens(bob, payload)).json.code, 'challenge-failed');
  expect('with its solution', (await tokens(ann, payload)).status, 201);
  expect('with the same again', (await tokens(ann, payload)).json.code, 'challenge-failed');
}

/** The widget, in a page that does what its documentation says: a URL for the challenge, a `fetch` with the login. */
async function inChromium(base, buyer) {
  const login = await buyer();
  let verified;
  const done = new Promise((resolve, reject) => {
    verified = resolve;
    setTimeout(() => reject(new Error('the widget has not solved it within 60 s')), 60_000).unref();
  });
  const page = `<!doctype html><meta charset="utf-8"><script type="module">
    import '/altcha.js';
    const widget = document.createElement('altcha-widget');
    const tell = (payload) => fetch('/done', { method: 'POST', body: payload });
    widget.addEventListener('verified', (event) => tell(event.detail.payload));
    widget.addEventListener('statechange', (event) => event.detail.state === 'error' && tell('error'));
    widget.addEventListener('load', () => { widget.configure({
      challenge: '/api/v1/challenge',
      fetch: (url, init) => fetch(url, { ...init, headers: { ...init?.headers, authorization: 'Bearer ${login}' } }),
    }); widget.verify(); });
    document.body.append(widget);
  </script>`;
  const server = createServer(async (request, response) => {
    if (request.url === '/') return response.setHeader('content-type', 'text/html').end(page);
    if (request.url === '/altcha.js') {
      return response.setHeader('content-type', 'text/javascript').end(readFileSync(here('node_modules/altcha/dist/main/altcha.js')));
    }
    if (request.url === '/api/v1/challenge') {
      const answer = await fetch(base + request.url, { headers: { authorization: request.headers.authorization ?? '' } });
      return response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
    }
    if (request.url === '/done') {
      let body = '';
      for await (const chunk of request) body += chunk;
      response.end();
      return verified(body);
    }
    return response.writeHead(404).end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const profile = mkdtempSync(join(tmpdir(), 'altcha-'));
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', `--user-data-dir=${profile}`];
  const url = `http://127.0.0.1:${server.address().port}/`;
  const browser = spawn(chromium, [...flags, '--no-proxy-server', '--remote-debugging-port=0', url], { stdio: 'ignore' });
  try {
    const body = { altcha: await done };
    const answer = await ask(base, 'POST', '/api/v1/sales/demo/tokens', { login, body });
    expect(`the widget ${widget} in Chromium`, answer.status, 201);
  } finally {
    const ended = new Promise((resolve) => browser.once('exit', resolve));
    browser.kill('SIGTERM');
    await Promise.race([ended, pause(3_000)]);
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

for (const algorithm of ['PBKDF2/SHA-256', 'SHA-256']) {
  await withDemo(algorithm, async (base, buyer) => {
    console.log(`-- ${algorithm}, altcha ${widget}`);
    await solver(base, buyer);
    if (chromium) await inChromium(base, buyer);
    else console.log('--  no Chromium here: the widget itself was not run');
  });
}
process.exit(0);
