import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long the bodies of an exchange were. */
export interface BodyBytes {
  /** As announced; undefined for chunks. */
  readonly request: number | undefined;
  /** As sent; undefined for a stream, and for an answer that did not go out whole. */
  readonly response: number | undefined;
}

type Field = number | string | readonly string[] | undefined;

/**
 * By the fields that announce them: to count what passes would cost every request something.
 * @param length the `Content-Length` of the answer.
 */
export function bytesOf(request: IncomingMessage, response: ServerResponse, length: Field): BodyBytes {
  const { 'content-length': announced, 'transfer-encoding': coding } = request.headers;
  return {
    request: announced === undefined && coding === undefined ? 0 : lengthOf(announced),
    response: response.writableFinished ? sentBytes(request, response.statusCode, length) : undefined,
  };
}

/** An answer to HEAD says how long that to GET would be. */
const sentBytes = ({ method }: IncomingMessage, status: number, length: Field): number | undefined =>
  method === 'HEAD' || status === 204 || status === 304 ? 0 : lengthOf(length);

const lengthOf = (value: Field): number | undefined => (/^\d{1,15}$/.test(String(value)) ? Number(value) : undefined);
