import { AsyncResource } from 'node:async_hooks';
import pg from 'pg';
import { vi } from 'vitest';
import { requestContext } from '../../src/common/http/request-context.js';
import type { Answer } from './http.js';

const textOf = (query: unknown): string =>
  typeof query === 'string' ? query : ((query as { text?: string } | undefined)?.text ?? '');

/** What the service keeps between requests. Read again for whichever request comes when it is due. */
const kept = /\b(sessions|signing_keys)\b/;

/**
 * The answer to one request to this process, and the text of each statement sent for it. What the service does
 * meanwhile at its own times, or for others, is left out: the context of the request says whose a statement is.
 */
export async function statementsOf(send: () => Promise<Answer>): Promise<{ answer: Answer; statements: string[] }> {
  const sent: { readonly text: string; readonly requestId: string | undefined }[] = [];
  const { query } = pg.Client.prototype;
  const spy = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...args: unknown[]) {
    sent.push({ text: textOf(args[0]), requestId: requestContext()?.requestId });
    return Reflect.apply(query, this, args) as never;
  });
  // Who waits for a connection gets it in the context of whoever gives it back.
  const { connect } = pg.Pool.prototype;
  const waits = vi.spyOn(pg.Pool.prototype, 'connect').mockImplementation(function (this: pg.Pool, ...args: unknown[]) {
    const bound = args.map((done) => AsyncResource.bind(done as () => void));
    return Reflect.apply(connect, this, bound) as never;
  });
  try {
    const answer = await send();
    const id = answer.headers['x-request-id'];
    const statements = sent.filter(({ requestId }) => requestId === id).map(({ text }) => text);
    return { answer, statements: statements.filter((text) => !kept.test(text)) };
  } finally {
    spy.mockRestore();
    waits.mockRestore();
  }
}
