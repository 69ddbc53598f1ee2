import type { TestApp } from '../../../support/app.js';
import type { Answer } from '../../../support/http.js';

export const proveByRecoveryCode = (app: TestApp, token: string, code: string, instance = 0): Promise<Answer> =>
  app.on(instance).request('POST', '/v1/auth/recovery-codes/verify', { token, body: { code } });
