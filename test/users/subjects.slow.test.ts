import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Controller, Get, Module, Param, Query } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { dbAfterRestore } from '../../src/users/after-restore.command.js';
import { usersErase } from '../../src/users/users-erase.command.js';
import { Can } from '../../src/common/access/access.decorators.js';
import { Cursors, PageQuery, PageView } from '../../src/common/http/cursors.js';
import { IdParam } from '../../src/common/http/fields.js';
import { CurrentPrincipal, type Principal } from '../../src/common/access/principal.js';
import { ViewField } from '../../src/common/http/view.js';
import { readConfig } from '../../src/config/index.js';
import { Database } from '../../src/database/index.js';
import { startEmbedded } from '../../src/database/embedded.js';
import { ErasureService } from '../../src/users/index.js';
import { accountPermissions } from '../../src/users/users.permissions.js';
import { signUp, type Actor } from '../support/actors.js';
import { TestApp } from '../support/app.js';
import { freshDatabase } from '../support/databases.js';
import { profile } from '../support/profile.js';
import { patientTables, removeSecondSchema } from '../support/second-schema.js';

// The service with another schema: patients are no users, and everything that holds for users has to hold for them by
// declaration alone.

vi.mock('../../src/generated/prisma/client.js', async () =>
  (await import('../support/second-schema.js')).generated('prisma/client.ts'),
);
vi.mock('../../src/generated/field-encryption/index.js', async () =>
  (await import('../support/second-schema.js')).generated('field-encryption/index.ts'),
);

interface Patient {
  readonly id: string;
  readonly number: string;
}
interface Patients {
  create(args: object): Promise<Patient>;
  findMany(args: object): Promise<Patient[]>;
  findUniqueOrThrow(args: object): Promise<Patient>;
}
const patientsOf = (database: Database): Patients => (database.client as unknown as { patient: Patients }).patient;

class PatientView {
  @ViewField({ type: 'string', format: 'uuid' })
  id: string;

  @ViewField({ type: 'string' })
  number: string;
}

class PatientListView extends PageView {
  @ViewField({ view: () => PatientView, many: true })
  items: PatientView[];
}

@Controller('v1/patients')
class PatientsController {
  constructor(
    private readonly database: Database,
    private readonly cursors: Cursors,
  ) {}

  @Get()
  @Can(accountPermissions.read)
  @ApiOkResponse({ type: PatientListView })
  list(@CurrentPrincipal() principal: Principal, @Query() page: PageQuery): Promise<PatientListView> {
    return this.cursors.page(principal, ['patients'], page, ({ id, order, take }) =>
      patientsOf(this.database).findMany({
        where: { id },
        orderBy: { id: order },
        take,
        select: { id: true, number: true },
      }),
    );
  }

  @Get(':id')
  @Can(accountPermissions.read)
  @ApiOkResponse({ type: PatientView })
  find(@Param() { id }: IdParam): Promise<PatientView> {
    return patientsOf(this.database).findUniqueOrThrow({ where: { id } });
  }
}

@Module({ controllers: [PatientsController], providers: [Cursors] })
class PatientsModule {}

let app: TestApp;
let clinician: Actor;

beforeAll(async () => {
  const database = await freshDatabase();
  await prepare(database);
  app = new TestApp(database, { modules: [PatientsModule] });
  await app.start(1);
  clinician = await signUp(app, 'clinician');
}, 120_000);
afterAll(async () => {
  await app.close();
  await removeSecondSchema();
});

/** The migration of the feature. */
async function prepare({ url, dataDirectory }: Awaited<ReturnType<typeof freshDatabase>>): Promise<void> {
  const embedded = url === undefined ? await startEmbedded(dataDirectory) : undefined;
  const client = new pg.Client(
    embedded === undefined
      ? { connectionString: url }
      : { host: embedded.socketDirectory, port: 5432, user: 'postgres', database: 'postgres' },
  );
  await client.connect();
  await client.query(patientTables);
  await client.end();
  await embedded?.close();
}

let count = 0;
const admit = () =>
  patientsOf(app.on(0).service.app.get(Database, { strict: false })).create({
    data: { number: `756.${count++}`, visits: { create: { finding: 'well' } } },
  });
const keysOf = async ({ id }: Patient) =>
  (await app.sql('SELECT state FROM data_keys WHERE subject = $1', [id])).map(({ state }) => state);
const rowsOf = async ({ id }: Patient) =>
  app.sql('SELECT id FROM patients WHERE id = $1 UNION ALL SELECT id FROM visits WHERE patient_id = $1', [id]);
const list = () => app.request('GET', '/v1/patients', { token: clinician.token });
const find = ({ id }: Patient) => app.request('GET', `/v1/patients/${id}`, { token: clinician.token });
const config = () => {
  const chosen = profile();
  const services =
    chosen.name === 'services'
      ? { DATABASE_URL: app.database.url, REDIS_URL: chosen.redisUrl, PUBLIC_URL: app.publicUrl }
      : {};
  return readConfig({ DATA_DIRECTORY: app.dataDirectory, ...services });
};

/** The patient's row, and on demand the data key, as a backup has them. */
async function backupOf({ id }: Patient) {
  const [row] = await app.sql('SELECT to_jsonb(p) AS row FROM patients p WHERE id = $1', [id]);
  const [key] = await app.sql('SELECT to_jsonb(k) AS row FROM data_keys k WHERE subject = $1', [id]);
  return async ({ withKey }: { withKey: boolean }) => {
    if (withKey) {
      await app.sql('DELETE FROM data_keys WHERE subject = $1', [id]);
      await app.sql('INSERT INTO data_keys SELECT * FROM jsonb_populate_record(NULL::data_keys, $1)', [
        JSON.stringify(key?.['row']),
      ]);
    }
    await app.sql('INSERT INTO patients SELECT * FROM jsonb_populate_record(NULL::patients, $1)', [
      JSON.stringify(row?.['row']),
    ]);
  };
}

describe('rows about people who are no users [practice 7.3]', () => {
  it('a patient is deleted by a query: the data key goes with the row, and nobody else loses theirs', async () => {
    const [gone, stays] = [await admit(), await admit()];
    expect([await keysOf(gone), await keysOf(stays)]).toEqual([['active'], ['active']]);
    await app.sql('DELETE FROM patients WHERE id = $1', [gone.id]);
    expect([await keysOf(gone), await keysOf(stays)]).toEqual([[], ['active']]);
    expect(await list()).toMatchObject({ status: 200, body: { items: [{ number: stays.number }] } });
  });

  it('a patient is erased: rows, visits and key are gone, tombstone and event stay', async () => {
    const [erased, stays] = [await admit(), await admit()];
    expect(await usersErase.run(config(), [erased.id])).toBe(0);
    expect([await rowsOf(erased), await keysOf(erased)]).toEqual([[], ['destroyed']]);
    expect(await app.sql('SELECT FROM tombstones WHERE subject = $1', [erased.id])).toHaveLength(1);
    expect(readFileSync(join(app.dataDirectory, 'tombstones.txt'), 'utf8')).toContain(erased.id);
    await app.auditEvent(
      'sensitive_delete',
      (event) => event['target_id'] === erased.id && event['target_type'] === 'patient',
    );
    const { status, body } = await list();
    expect([status, body.items.map(({ id }: Patient) => id).includes(erased.id), body.items[0].number]).toEqual([
      200,
      false,
      stays.number,
    ]);
  });

  it('a restore brings an erased patient back: no start until the erasure is repeated', async () => {
    const patient = await admit();
    const putBack = await backupOf(patient);
    await usersErase.run(config(), [patient.id]);
    await putBack({ withKey: true });
    await app.sql('DELETE FROM tombstones WHERE subject = $1', [patient.id]);
    await expect(app.restart()).rejects.toThrow('db:after-restore');
    expect(await dbAfterRestore.run(config(), [])).toBe(0);
    await app.restart();
    expect([await rowsOf(patient), await keysOf(patient)]).toEqual([[], ['destroyed']]);
  }, 60_000);

  it('a row whose key is destroyed is put back: the list shows it as unreadable, with an alarm', async () => {
    const patient = await admit();
    const putBack = await backupOf(patient);
    // By the running service, which forgets the key at once.
    await app.on(0).service.app.get(ErasureService, { strict: false }).erase(patient.id);
    const other = await admit();
    await putBack({ withKey: false });
    const { status, body } = await list();
    expect([status, body.items[0].number, body.items.find(({ id }: Patient) => id === patient.id)]).toEqual([
      200,
      other.number,
      { id: patient.id, number: '[unreadable]' },
    ]);
    await app.auditEvent(
      'crypt_decrypt_fail',
      ({ details }) => (details as { code: string; rowId?: string }).code === 'destroyed-key',
    );
    // One row for its own sake is no list: it fails, as whatever compares or writes back does.
    expect((await find(patient)).status).toBe(500);
    expect((await find(other)).body).toMatchObject({ number: other.number });
  });
});
