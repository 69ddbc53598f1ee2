import { Module } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PersonalData } from '../../src/common/personal-data.js';
import { fieldNamesOf } from '../../src/common/view.js';
import { fieldMap } from '../../src/generated/field-encryption/index.js';
import type { FieldMap } from '../../src/security/data-protection/index.js';
import { ExportView } from '../../src/users/export.view.js';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';

const bootWith = async (section: string): Promise<unknown> => {
  @Module({})
  class Extra {
    constructor(personalData: PersonalData) {
      personalData.add(section, async () => []);
    }
  }
  const started = await startApp({ modules: [Extra], instances: 1 }).catch((error: unknown) => error);
  if (!(started instanceof Error)) await (started as TestApp).close();
  return started;
};

describe('the export of personal data: every section is declared [practice 7.4] [ASVS 15.3.1]', () => {
  let app: TestApp;
  let alice: Actor;
  beforeAll(async () => {
    app = await startApp({ instances: 1 });
    alice = await signUp(app, 'alice');
  });
  afterAll(() => app.close());

  it('a feature adds a section that the view would drop: the service does not start, and is told where to declare it', async () => {
    const message = expect.stringMatching(/ExportView does not declare:\n {2}- diaries: declare it in src\/users\/export\.view\.ts/);
    expect(await bootWith('diaries')).toMatchObject({ message });
  });

  it.each(['account', 'exportedAt'])('a feature adds a section that would take the place of "%s": the service does not start', async (section) =>
    expect(await bootWith(section)).toMatchObject({ message: expect.stringContaining(`- ${section}: declare it`) }));

  it('a feature adds a section that another one has added: the service does not start, and neither part is lost', async () =>
    expect(await bootWith('sessions')).toMatchObject({ message: expect.stringContaining('sessions of the personal-data export is added twice') }));

  it('no declared section is forgotten: the export has every one of them', async () => {
    const { status, body } = await app.request('GET', '/v1/users/me/export', { token: alice.token });
    expect([status, Object.keys(body).toSorted()]).toEqual([200, fieldNamesOf(ExportView).toSorted()]);
  });

  it('no table about people is forgotten: each model that declares a subject has a section, or a reason to have none', () => {
    const models: FieldMap = fieldMap;
    const aboutPeople = Object.entries(models).filter(([, { subject }]) => subject !== undefined && 'field' in subject);
    expect(aboutPeople.map(([name]) => name).toSorted()).toEqual(Object.keys(sectionOf).toSorted());
    const sections = fieldNamesOf(ExportView);
    expect(Object.values(sectionOf).filter((where) => !where.includes(' ') && !sections.includes(where))).toEqual([]);
  });

  it('every model declares its subject, or a constant for nobody; these alone have none', () => {
    const models: FieldMap = fieldMap;
    const undeclared = Object.keys(models).filter((name) => models[name]?.subject === undefined);
    // The trail names people by id, and stays; a key and a tombstone are what is left of somebody.
    expect(undeclared.toSorted()).toEqual(['AuditEvent', 'DataKey', 'Tombstone']);
  });
});

/** In which section of the export the rows of a model are, or why in none. */
const sectionOf: Readonly<Record<string, string>> = {
  IdempotencyKey: 'nothing of the person: a MAC, and the id of an object that has a section',
  User: 'account',
  Registration: 'nothing yet: whoever typed the address has not proved to be its owner',
  Session: 'sessions',
  Invitation: 'invitations',
  EmailChange: 'emailChange',
  TotpAuthenticator: 'totp',
  RecoveryCode: 'recoveryCodes',
  Passkey: 'passkeys',
  Resource: 'resources',
  ResourceShare: 'received',
  PasswordCredential: 'nothing but a secret, and that a reset is due, which is among the events',
  PasswordReset: 'nothing but a secret of 15 minutes; that it was asked for is among the events',
  PasskeyChallenge: 'nothing but a secret of 5 minutes',
};
