import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CODES } from 'seckill-purchase';

interface Operation { responses: Record<string, { description: string }> }
const document = JSON.parse(readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8'));
const codesOf = ({ responses }: Operation) =>
  Object.entries(responses).filter(([status]) => status >= '400')
    .flatMap(([, { description }]) => [...description.matchAll(/`([a-z-]+)`/g)].map(([, code]) => code));

it('every code that a purchase can meet has its rule', () => {
  const routes = ['/api/v1/sales/{sale}/tokens', '/api/v1/sales/{sale}/orders', '/api/v1/jobs/{jobId}', '/api/v1/jobs/{jobId}/events'];
  const codes = routes.flatMap((route) => Object.values<Operation>(document.paths[route]).flatMap(codesOf));
  expect(codes.length).toBeGreaterThan(30);
  expect(codes.filter((code) => !(CODES as readonly unknown[]).includes(code))).toEqual([]);
});
