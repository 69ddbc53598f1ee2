import { ApiQuery } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { createCheckedParameter } from '../../common/http/parameters.js';
import { Problem } from '../../common/http/problem.js';

const maxLength = 6000;

/**
 * The query as it came, with its question mark. Providers add what they like (`session_state`, `authuser`, `hd`), so no
 * DTO could name all; openid-client reads those of the standard, and refuses any that comes twice.
 */
export const CallbackQuery = createCheckedParameter((request: FastifyRequest) => {
  const { url } = request;
  const at = url.indexOf('?');
  const search = at === -1 ? '' : url.slice(at);
  if (search.length > maxLength || !/^[\x21-\x7e]*$/.test(search)) throw new Problem('malformed-request');
  return search;
}, 'query');

/** For the published document. */
export const ApiCallbackQuery = (): MethodDecorator => (target, key, descriptor) => {
  for (const name of ['code', 'state', 'iss', 'error', 'error_description'])
    ApiQuery({ name, required: false, schema: { type: 'string' } })(target, key, descriptor);
};
