import { mergeConfig } from 'vitest/config';
import base from './vitest.config.js';

// The requests of docs/http through httpYac, a client that people use. It lives in a package of its own: nobody else has to install it.
const { test, ...rest } = base;
export default mergeConfig({ ...rest, test: { ...test, include: [] } }, { test: { include: ['test/docs-http/*.http-client.ts'] } });
