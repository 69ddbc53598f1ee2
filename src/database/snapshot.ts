import type { Config } from '../config/index.js';
import { connectionOptions, withClient } from './connection.js';
import { runningEmbedded } from './embedded.js';

/** A tagged template: what stands between the texts goes as parameters. */
export interface Read {
  /** Rows as the driver has them. */
  <Row>(text: TemplateStringsArray, ...values: readonly unknown[]): Promise<Row[]>;
  /**
   * Columns as PostgreSQL writes them, times in UTC and bytes in hex: for what is read by the million, so that the
   * driver makes no objects, dates and JSON of it.
   */
  texts<Row extends readonly (string | null)[]>(
    text: TemplateStringsArray,
    ...values: readonly unknown[]
  ): Promise<Row[]>;
}

const asTexts = { rowMode: 'array', types: { getTypeParser: () => (text: unknown) => text } } as const;

/**
 * Reads much, row by row of the driver, in one state of the database, on a connection of its own. The embedded database
 * is a single session: it serves nobody else meanwhile.
 * @param config of an open Database: the embedded database must run.
 */
export async function readSnapshot<T>(config: Config, work: (read: Read) => Promise<T>): Promise<T> {
  const socketDirectory = config.databaseUrl === undefined ? await runningEmbedded(config.dataDirectory) : undefined;
  return withClient(connectionOptions(config, socketDirectory), async (client) => {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query(`SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL bytea_output = 'hex'`);
    // One after another: the driver takes no second query while one runs.
    let running: Promise<unknown> = Promise.resolve();
    const query = async (form: object, parts: TemplateStringsArray, values: readonly unknown[]): Promise<unknown[]> => {
      const text = parts.reduce((before, part, at) => `${before}$${at}${part}`);
      const result = running.then(() => client.query({ ...form, text, values: [...values] }));
      running = result.catch(() => undefined);
      return (await result).rows;
    };
    const read = async <Row>(parts: TemplateStringsArray, ...values: readonly unknown[]) =>
      (await query({}, parts, values)) as Row[];
    const texts = async <Row>(parts: TemplateStringsArray, ...values: readonly unknown[]) =>
      (await query(asTexts, parts, values)) as Row[];
    try {
      return await work(Object.assign(read, { texts }));
    } finally {
      await running;
    }
  });
}
