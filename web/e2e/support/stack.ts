// A shop to test against: the program with everything inside it, or the real servers (`cargo xtask up`).
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export type Kind = 'embedded' | 'servers';

export interface Stack {
  kind: Kind;
  /** The buyers' port. */
  shop: string;
  /** The operators' port. */
  operators: string;
  adminKey: string;
  /** Asks the operators' port; anything but success fails the test. */
  admin<Body = any>(method: string, path: string, body?: unknown): Promise<Body>;
  /** The process that serves the buyers. */
  gatewayPid(): number;
  stop(): Promise<void>;
}

const BINARIES = resolve(import.meta.dirname, '../../../target/release');
/** A first start makes databases. */
const UP_WITHIN_MS = 120_000;
const DOWN_WITHIN_MS = 30_000;

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

export async function until<T>(what: string, withinMs: number, look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (const end = Date.now() + withinMs; Date.now() < end; await pause(100)) {
    const seen = await look();
    if (seen) return seen;
  }
  throw new Error(`${what}: not within ${withinMs} ms`);
}

function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const server = createServer();
    server.on('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (address && typeof address === 'object' ? done(address.port) : failed(new Error('no port'))));
    });
  });
}

function start(program: string, args: string[], env: NodeJS.ProcessEnv) {
  const path = join(BINARIES, program);
  if (!existsSync(path)) throw new Error(`${path} is missing: cargo build --release -p seckill -p xtask`);
  const child = spawn(path, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], cwd: resolve(BINARIES, '../..') });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => { said = (said + piece).slice(-20_000); });
  return { child, said: () => said };
}

async function stopped(child: ChildProcess) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((done) => child.once('exit', done));
  child.kill('SIGINT');
  await Promise.race([gone, pause(DOWN_WITHIN_MS).then(() => child.kill('SIGKILL'))]);
}

function adminOf(operators: string, key: string): Stack['admin'] {
  return async (method, path, body) => {
    const answer = await fetch(`${operators}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  };
}

const answers = async (url: string) => fetch(url).then(({ ok }) => ok, () => false);

async function embedded(): Promise<Stack> {
  const [buyers, operators] = [await freePort(), await freePort()];
  const adminKey = 'an-admin-key-of-thirty-two-letters';
  const { child, said } = start('seckill', [], {
    SECKILL__GATEWAY__LISTEN: `127.0.0.1:${buyers}`, SECKILL__GATEWAY__OPERATORS: `127.0.0.1:${operators}`, SECKILL__SECRETS__ADMIN_KEY: adminKey,
  });
  const shop = `http://127.0.0.1:${buyers}`;
  await until(`the program is ready\n${said()}`, UP_WITHIN_MS, () => {
    if (child.exitCode !== null) throw new Error(said());
    return answers(`${shop}/readyz`);
  });
  const base = `http://127.0.0.1:${operators}`;
  return {
    kind: 'embedded', shop, operators: base, adminKey, admin: adminOf(base, adminKey), gatewayPid: () => child.pid ?? 0, stop: () => stopped(child),
  };
}

interface RunFile { buyers: string; operators: string; adminKey: string; pids: { gateway: number[] } }

/** The real servers; with RUN_FILE a stack that is running already, which is left running. */
async function servers(): Promise<Stack> {
  const given = process.env['RUN_FILE'];
  const dir = given ? undefined : mkdtempSync(join(tmpdir(), 'seckill-e2e-'));
  const file = given ?? join(dir ?? '', 'run.json');
  const read = (): RunFile => JSON.parse(readFileSync(file, 'utf8'));
  const up = dir ? start('xtask', ['up', '--data', dir, '--port', '0', '--admin-port', '0', '--no-demo', '--no-install'], {}) : undefined;
  await until(`${file} is there`, UP_WITHIN_MS, () => {
    if (up && up.child.exitCode !== null) throw new Error(up.said());
    return existsSync(file);
  });
  const { buyers, operators, adminKey } = read();
  return {
    kind: 'servers', shop: buyers, operators, adminKey, admin: adminOf(operators, adminKey),
    gatewayPid: () => read().pids.gateway[0] ?? 0,
    async stop() {
      if (up) await stopped(up.child);
      if (dir) rmSync(dir, { recursive: true, force: true });
    },
  };
}

export const startStack = (kind: Kind) => (kind === 'embedded' && !process.env['RUN_FILE'] ? embedded() : servers());
