import type { FieldMap, ModelFields } from '@nestjs-secure-template/field-encryption';
import type { Database } from '../database/index.js';
import { fieldMap } from '../generated/field-encryption/index.js';

/** A table whose rows are about somebody, and the column that says about whom. */
interface SubjectTable {
  readonly model: string;
  readonly table: string;
  readonly column: string;
  readonly type: 'uuid' | 'text';
  /** The row itself is the subject: a user, or whoever else the service knows. */
  readonly root: boolean;
}

/** Rows about one subject, wherever the schema declares that rows are about somebody (`@subject`). */
export class SubjectRows {
  private readonly tables = subjectTables(fieldMap);

  constructor(private readonly database: Database) {}

  /**
   * Locks the subject, so that of many erasures at once one goes on: the others must not read cells whose key it
   * destroys, which looks like an attack.
   * @returns the models that have a row of this id, and `DataKey` where a key is left; empty when nothing is.
   */
  async lock(id: string): Promise<string[]> {
    const { client } = this.database;
    const found: string[] = [];
    for (const { model, table, column, type } of this.tables.filter(({ root }) => root)) {
      const rows = await client.$queryRawUnsafe<object[]>(
        `SELECT 1 FROM ${table} WHERE ${column} = $1::${type} FOR UPDATE`,
        id,
      );
      if (rows.length > 0) found.push(model);
    }
    const keys = await client.$queryRaw<
      object[]
    >`SELECT 1 FROM data_keys WHERE subject = ${id} AND state <> 'destroyed' FOR UPDATE`;
    return keys.length > 0 ? [...found, 'DataKey'] : found;
  }

  /**
   * The subject first: most rows go with it (ON DELETE CASCADE). Then the data keys, without which no copy in a backup
   * opens either.
   */
  async delete(id: string): Promise<void> {
    const { client } = this.database;
    for (const { table, column, type } of this.tables)
      await client.$executeRawUnsafe(`DELETE FROM ${table} WHERE ${column} = $1::${type}`, id);
    await client.dataKey.updateMany({
      where: { subject: id, state: { not: 'destroyed' } },
      data: { state: 'destroyed', wrapped: null, destroyedAt: new Date() },
    });
  }
}

const subjectTables = (fields: FieldMap): SubjectTable[] =>
  Object.entries(fields)
    .flatMap(([name, model]) => subjectTable(name, model) ?? [])
    .toSorted((one, other) => Number(other.root) - Number(one.root));

/** Names come from the generated map, never from a request. */
function subjectTable(
  name: string,
  { table, columns, subject, uuids, id, generatedId }: ModelFields,
): SubjectTable | undefined {
  if (subject === undefined || 'constant' in subject) return undefined;
  const { field } = subject;
  const type = uuids.includes(field) ? 'uuid' : 'text';
  return { model: name, table: `"${table}"`, column: `"${columns[field]}"`, type, root: field === id && generatedId };
}
