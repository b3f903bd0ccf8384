// The shop's and the operators' routes, typed by docs/openapi.json (`npm run api` writes api.d.ts).
import createClient from 'openapi-fetch';
import type { components, paths } from './api';

export type Schemas = components['schemas'];

/** A typed client: `await api.GET('/api/v1/sales')` gives `{ data }` or `{ error }`, and throws where no answer came. */
export const client = (fetcher: typeof fetch = fetch) => createClient<paths>({ baseUrl: '/', fetch: (request) => fetcher(request) });
