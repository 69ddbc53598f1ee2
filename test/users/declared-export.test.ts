import { Module } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FieldMap } from '@nestjs-secure-template/field-encryption';
import { sessionsSection } from '../../src/auth/sessions/sessions.export.js';
import { fieldNamesOf } from '../../src/common/http/view.js';
import { fieldMap } from '../../src/generated/field-encryption/index.js';
import {
  defineExportSection,
  exportedModels,
  ExportView,
  PersonalData,
  type ExportSection,
} from '../../src/common/events/personal-data.js';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { SamplesModule } from '../support/sample/samples.module.js';

const bootWith = async (section: ExportSection): Promise<unknown> => {
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
    app = await startApp({ modules: [SamplesModule], instances: 1 });
    alice = await signUp(app, 'alice');
  });
  afterAll(() => app.close());

  it.each(['diaries', 'account', 'exportedAt'])(
    'a feature adds a section "%s" that it has made up, which the view would drop or take for another: no start',
    async (name) =>
      expect(await bootWith({ name, models: [] })).toMatchObject({
        message: expect.stringContaining(`the section ${name} of the personal-data export is not declared`),
      }),
  );

  it.each(['account', 'exportedAt', 'sessions'])(
    'a feature declares "%s", which is there already: its file does not load, neither part is lost',
    (name) => {
      const field = { view: () => ExportView, models: [] };
      expect(() => defineExportSection(name, field)).toThrow(`export ${name} is declared twice`);
    },
  );

  it('a feature reads a section that another one reads: no start, neither part is lost', async () =>
    expect(await bootWith(sessionsSection)).toMatchObject({
      message: expect.stringContaining('sessions of the personal-data export is added twice'),
    }));

  it('no declared section is forgotten: the export has every one of them', async () => {
    const { status, body } = await app.request('GET', '/v1/users/me/export', { token: alice.token });
    expect([status, Object.keys(body).toSorted()]).toEqual([200, fieldNamesOf(ExportView).toSorted()]);
  });

  it('no table about people is forgotten: each has a section, or a reason to have none', () => {
    const models: FieldMap = fieldMap;
    const aboutPeople = Object.entries(models).filter(([, { subject }]) => subject !== undefined && 'field' in subject);
    const fix = 'name the model in defineExportSection() of its feature, or say why not by notExported()';
    expect([...exportedModels().keys()].toSorted(), fix).toEqual(aboutPeople.map(([name]) => name).toSorted());
  });

  it('every model declares its subject, or a constant for nobody; these alone have none', () => {
    const models: FieldMap = fieldMap;
    const undeclared = Object.keys(models).filter((name) => models[name]?.subject === undefined);
    // The trail names people by id, and stays; a key and a tombstone are what is left of somebody.
    expect(undeclared.toSorted()).toEqual(['AuditEvent', 'DataKey', 'Tombstone']);
  });
});
