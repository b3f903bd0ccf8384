import { expect, it } from 'vitest';
import { subject } from './login';

const jwt = (payload: unknown) => `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.x`;

it('reads who a login names, in any script', () => {
  expect(subject(jwt({ sub: '用户-42' }))).toBe('用户-42');
});

it('reads nobody from what is no login', () => {
  for (const text of ['', 'a.b.c', jwt({}), jwt({ sub: 7 }), jwt(null)]) expect(subject(text)).toBeUndefined();
});
