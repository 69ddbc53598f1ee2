import { expect } from 'vitest';
import { CONFIG } from '../../../src/config/index.js';
import type { KeyFormat } from '../../../src/auth/api-keys/key-format.js';
import { keyFormatOf } from '../../../src/auth/api-keys/api-keys.settings.js';
import type { Actor } from '../../support/actors.js';
import type { TestApp } from '../../support/app.js';

export interface MadeKey {
  readonly id: string;
  readonly key: string;
  readonly expiresAt: string;
}

type Wishes = Readonly<Record<string, unknown>>;

const usual = { name: 'Nightly import', scopes: ['sample:read'], expiresInDays: 30 };

export const askForKey = (app: TestApp, person: Pick<Actor, 'token'>, wishes: Wishes = {}, path = '/v1/api-keys') =>
  app.request('POST', path, { token: person.token, body: { ...usual, ...wishes } });

export async function makeKey(app: TestApp, person: Pick<Actor, 'token'>, wishes: Wishes = {}): Promise<MadeKey> {
  const { status, body } = await askForKey(app, person, wishes);
  expect([status, body.errors]).toEqual([201, undefined]);
  return body as MadeKey;
}

export async function makeServiceKey(app: TestApp, person: Actor, wishes: Wishes = {}): Promise<MadeKey> {
  const { status, body } = await askForKey(app, person, { service: 'Analyser', ...wishes }, '/v1/service-keys');
  expect([status, body.errors]).toEqual([201, undefined]);
  return body as MadeKey;
}

export const succeed = (
  app: TestApp,
  person: Pick<Actor, 'token'>,
  id: string,
  overlapHours = 1,
  path = '/v1/api-keys',
) => app.request('POST', `${path}/${id}/successor`, { token: person.token, body: { expiresInDays: 30, overlapHours } });

export const formatOf = (app: TestApp): KeyFormat => keyFormatOf(app.on(0).service.app.get(CONFIG, { strict: false }));

/** As a program calls. */
export const callWith = async (app: TestApp, key: string, path = '/v1/samples', parts = {}) =>
  (await app.request('GET', path, { token: key, ...parts })).status;

/** The newest refusal of a credential has that reason. */
export const refusal = (app: TestApp, reason: string) =>
  app.auditEvent('authn_token_fail', ({ details }) => (details as { reason?: string }).reason === reason);
