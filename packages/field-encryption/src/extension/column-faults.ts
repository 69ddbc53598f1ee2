import type { EncryptedField, FieldMap, ModelFields } from '../field-map.js';

/** A column of a table that has encrypted fields, as the catalog of the database has it. */
interface StoredColumn {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  /** A CHECK of its own, of exactly `is_sealed_cell(column)`. */
  readonly sealed: boolean;
  /** A unique index of it alone, over all rows. */
  readonly unique: boolean;
  /** The table drops the data key of this column's value with its row. */
  readonly drops: boolean;
  /** The function still tells cells from everything else. */
  readonly sound: boolean;
}

interface CatalogReader {
  $queryRawUnsafe(query: string, ...values: unknown[]): PromiseLike<unknown>;
}

/**
 * Compares the annotations with the database: a field that was annotated without its migration, or whose CHECK somebody
 * dropped or loosened, would take plaintext from whoever writes to the table (practice 7.1). One query of the catalog,
 * which any role may read.
 * @returns a line for each fault, with the SQL that mends it.
 */
export async function findColumnFaults(client: CatalogReader, fields: FieldMap): Promise<string[]> {
  const models = Object.values(fields).filter((model) => Object.keys(model.encrypted).length > 0 || isSubject(model));
  const found = (await client.$queryRawUnsafe(
    catalogQuery,
    models.map(({ table }) => table),
  )) as StoredColumn[];
  const columns = new Map(found.map((column) => [`${column.table} ${column.name}`, column]));
  const loose = found.some(({ sound }) => !sound)
    ? ['is_sealed_cell() was replaced: it takes what is no cell. Create it again, as the first migration has it']
    : [];
  const faults = models.flatMap((model) =>
    Object.values(model.encrypted).flatMap((field) => faultsOf(model, field, columns)),
  );
  return [...loose, ...faults, ...models.filter(isSubject).flatMap((model) => keyFaults(model, columns))];
}

/** The row itself is whom it is about. */
const isSubject = ({ subject, id, generatedId }: ModelFields): boolean =>
  subject !== undefined && 'field' in subject && subject.field === id && generatedId;

function keyFaults({ table, id, columns: names }: ModelFields, columns: ReadonlyMap<string, StoredColumn>): string[] {
  const name = names[id ?? ''] ?? '';
  if (columns.get(`${table} ${name}`)?.drops === true) return [];
  const trigger = `CREATE CONSTRAINT TRIGGER ${quote(`${table}_drop_data_key`)} AFTER DELETE ON ${quote(table)}`;
  const action = `FOR EACH ROW EXECUTE FUNCTION drop_data_key_of_subject('${name}');`;
  const fault = `${table} is about somebody, and a deleted row leaves their data key`;
  return [`${fault}: ${trigger} DEFERRABLE INITIALLY DEFERRED ${action}`];
}

function faultsOf(model: ModelFields, field: EncryptedField, columns: ReadonlyMap<string, StoredColumn>): string[] {
  const [table, name] = [model.table, model.columns[field.name] ?? field.name];
  const [quoted, column, check] = [quote(table), quote(name), quote(`${table}_${name}_check`)];
  const stored = columns.get(`${table} ${name}`);
  const place = `${table}.${name} is encrypted`;
  const sealed = `CHECK (is_sealed_cell(${column}))`;
  if (stored === undefined)
    return [`${place} in the schema, and has no column: ALTER TABLE ${quoted} ADD COLUMN ${column} text ${sealed};`];
  const renewed =
    `ALTER TABLE ${quoted} DROP CONSTRAINT IF EXISTS ${check}, ADD CONSTRAINT ${check} ${sealed} NOT VALID; ` +
    `ALTER TABLE ${quoted} VALIDATE CONSTRAINT ${check};`;
  return [
    ...(stored.type === 'text'
      ? []
      : [`${place}, and its column is ${stored.type}: ALTER TABLE ${quoted} ALTER COLUMN ${column} TYPE text;`]),
    ...(stored.sealed ? [] : [`${place}, and its column takes plaintext: ${renewed}`]),
    ...indexFaults(model, field, columns),
  ];
}

function indexFaults(
  { table, columns: names }: ModelFields,
  { index }: EncryptedField,
  columns: ReadonlyMap<string, StoredColumn>,
): string[] {
  if (index === undefined) return [];
  const name = names[index.column] ?? index.column;
  const stored = columns.get(`${table} ${name}`);
  const [quoted, column] = [quote(table), quote(name)];
  const unique = `CREATE UNIQUE INDEX ON ${quoted} (${column});`;
  if (stored === undefined) {
    const create = index.unique ? unique : `CREATE INDEX ON ${quoted} (${column});`;
    const add = `ALTER TABLE ${quoted} ADD COLUMN ${column} text; ${create}`;
    return [`${table}.${name} is a blind index in the schema, and has no column: ${add}`];
  }
  return index.unique && !stored.unique
    ? [`${table}.${name} is unique in the schema, and has no unique index: ${unique}`]
    : [];
}

const quote = (name: string): string => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`);

// What the function must take and refuse: a cell; plaintext, the prefix alone, a body that is too short, two lines,
// another version.
const catalogQuery = `
  SELECT c.relname::text AS table, a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type,
    EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c'
      AND regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '')
        = format('CHECK (is_sealed_cell(%I))', a.attname)
    ) AS sealed,
    EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
      AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum) AS unique,
    EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid
      AND t.tgfoid = to_regproc('public.drop_data_key_of_subject') AND t.tgenabled IN ('O', 'A')
      AND t.tgtype & 9 = 9 AND encode(t.tgargs, 'escape') = a.attname || '\\000') AS drops,
    (SELECT bool_and(public.is_sealed_cell(probe.text) = probe.good) FROM (VALUES
      ('enc:v1:01890000-0000-7000-8000-000000000000:' || repeat('A', 38), true),
      ('plaintext', false), ('enc:v1:', false),
      ('enc:v1:01890000-0000-7000-8000-000000000000:' || repeat('A', 37), false),
      ('enc:v1:01890000-0000-7000-8000-000000000000:' || repeat(' ', 38), false),
      ('enc:v1:01890000-0000-4000-8000-000000000000:' || repeat('A', 38), false),
      ('x' || 'enc:v1:01890000-0000-7000-8000-000000000000:' || repeat('A', 38), false),
      ('enc:v1:01890000-0000-7000-8000-000000000000:' || repeat('A', 38) || E'\n' || 'plaintext', false)
    ) AS probe (text, good)) AS sound
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname = ANY ($1::text[])`;
