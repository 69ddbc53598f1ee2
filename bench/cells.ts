// What field encryption costs: one cell sealed and opened with a warm key, and a list of twenty people with two
// encrypted fields against the same list in clear. Alternates the two; prints medians, of the list also the CPU time of
// this process, which moves less when other programs use the machine.
import { randomBytes, createSecretKey, randomUUIDv7 } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fieldKey, openCell, sealCell } from '@nestjs-secure-template/field-encryption';
import { KeyRing } from '@nestjs-secure-template/field-encryption';
import { purposes } from '../src/common/macs.js';
import { readConfig, type Config } from '../src/config/index.js';
import { Database } from '../src/database/index.js';
import { openPlainDatabase } from './apps/plain.js';
import { createDatabase, describeServer } from './databases.js';

const cells = 50_000;
const people = 20;
const rounds = 15;
const listsPerRound = 200;

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Microseconds per call, the median of five runs. */
function perCall(work: (index: number) => unknown): number {
  const runs = Array.from({ length: 5 }, () => {
    const startedAt = performance.now();
    for (let index = 0; index < cells; index++) work(index);
    return ((performance.now() - startedAt) * 1000) / cells;
  });
  return median(runs);
}

/** Microseconds per list. */
interface Cost {
  readonly elapsed: number;
  readonly cpu: number;
}

async function perList(list: () => PromiseLike<unknown>): Promise<Cost> {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  for (let count = 0; count < listsPerRound; count++) await list();
  const { user, system } = process.cpuUsage(before);
  return { elapsed: ((performance.now() - startedAt) * 1000) / listsPerRound, cpu: (user + system) / listsPerRound };
}

/** One line: what the list costs sealed and in clear. The first rounds warm caches and the compiler up. */
function compare(name: keyof Cost, sealed: readonly Cost[], clear: readonly Cost[]): string {
  const [one, other] = [sealed, clear].map((costs) => median(costs.slice(3).map((cost) => cost[name]))) as [
    number,
    number,
  ];
  return `${one.toFixed(0)} us, in clear ${other.toFixed(0)} us: +${((one / other - 1) * 100).toFixed(0)} %`;
}

const person = () => ({ email: `${randomUUIDv7()}@example.org`, name: 'Alice Example', phone: '+441632960961' });
const listed = {
  take: people,
  orderBy: { id: 'desc' },
  select: { id: true, name: true, phone: true, createdAt: true },
} as const;

async function lists(protectedConfig: Config, clearConfig: Config): Promise<{ sealed: Cost[]; clear: Cost[] }> {
  const database = await Database.open(
    protectedConfig,
    await KeyRing.loadOrCreate(protectedConfig.keyRingFile, purposes),
  );
  const plain = await openPlainDatabase(clearConfig);
  try {
    for (let count = 0; count < people; count++) {
      await database.client.user.create({ data: person(), select: { id: true } });
      await plain.client.user.create({ data: person(), select: { id: true } });
    }
    const sealed: Cost[] = [];
    const clear: Cost[] = [];
    for (let round = 0; round < rounds; round++) {
      clear.push(await perList(() => plain.client.user.findMany(listed)));
      sealed.push(await perList(() => database.client.user.findMany(listed)));
    }
    return { sealed, clear };
  } finally {
    await database.close();
    await plain.close();
  }
}

const directory = mkdtempSync(join(tmpdir(), 'bench-cells-'));
const server = process.env['DATABASE_URL'] || undefined;
const fresh =
  server === undefined ? [] : [await createDatabase(server, 'sealed'), await createDatabase(server, 'clear')];
try {
  const key = fieldKey(createSecretKey(randomBytes(32)), randomUUIDv7(), 'bench.field');
  const rowId = randomUUIDv7();
  const cell = sealCell(key, rowId, 'Alice Example');
  const seal = perCall(() => sealCell(key, rowId, 'Alice Example'));
  const open = perCall(() => openCell(key, rowId, cell));
  const configs = ['sealed', 'clear'].map((name, index) =>
    readConfig({ DATA_DIRECTORY: join(directory, name), ...(fresh[index] && { DATABASE_URL: fresh[index].url }) }),
  ) as [Config, Config];
  const { sealed, clear } = await lists(...configs);
  const report = [
    `database: ${await describeServer(server)}`,
    `seal one cell: ${seal.toFixed(1)} us (goal: at most 10)`,
    `open one cell: ${open.toFixed(1)} us (goal: at most 10)`,
    `list of ${people} with two encrypted fields: ${compare('elapsed', sealed, clear)} (goal: at most +35 %)`,
    `the same in CPU time of this process: ${compare('cpu', sealed, clear)}`,
  ];
  process.stdout.write(`${report.join('\n')}\n`);
} finally {
  for (const { drop } of fresh) await drop();
  rmSync(directory, { recursive: true, force: true });
}
