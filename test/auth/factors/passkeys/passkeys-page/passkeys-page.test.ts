import { afterAll, beforeAll, describe } from 'vitest';
import { ApiDocsModule } from '../../../../../src/api-docs/index.js';
import { PasskeysPageModule } from '../../../../../src/auth/index.js';
import { itIsADocsPage } from '../../../../api-docs/pages.js';
import { startSmallApp, type SmallApp } from '../../../../security/small-app.js';

let app: SmallApp;
beforeAll(async () => {
  app = await startSmallApp({ modules: [ApiDocsModule, PasskeysPageModule] });
});
afterAll(() => app.close());

describe('the page on /docs/passkeys (practice 3.3)', () => itIsADocsPage('passkeys', () => app));
