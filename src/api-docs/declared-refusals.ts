import { ACCESS, BEFORE_SECOND_FACTOR, STEP_UP, type Access } from '../common/access/access.decorators.js';
import { problemTypes, type GeneralProblem } from '../common/http/problem.js';
import { REFUSALS } from '../common/http/refusals.decorator.js';
import type { Operation, Parameter } from './document.types.js';

/** What the practices before the handler refuse, wherever the request was going. */
const everywhere: readonly GeneralProblem[] = [
  'malformed-request',
  'unauthenticated',
  'request-timeout',
  'uri-too-long',
  'unsupported-media-type',
  'misdirected-request',
  'too-many-requests',
  'header-fields-too-large',
  'internal-error',
  'unavailable',
];

/** Pages of foreign origins may not write, and only what writes may have a body. */
const toWrites: readonly GeneralProblem[] = ['forbidden', 'content-too-large'];

/**
 * Every problem type that an operation can answer with: it follows from the decorators of its handler, or `@Refuses`
 * names it.
 */
export function refusalsOf(handler: Function, verb: string, operation: Operation): ReadonlySet<string> {
  const parameters = (operation.parameters ?? []) as Parameter[];
  return new Set<string>([
    ...everywhere,
    ...problemTypes().flatMap(({ name, isAnywhere }) => (isAnywhere === true ? [name] : [])),
    ...(verb === 'get' ? [] : toWrites),
    ...accessRefusals(handler),
    ...(operation.requestBody === undefined ? [] : (['validation-failed'] as const)),
    ...(parameters.some((parameter) => parameter.in === 'path') ? (['not-found'] as const) : []),
    ...(parameters.some(({ name }) => name === 'If-Match')
      ? (['precondition-failed', 'precondition-required'] as const)
      : []),
    ...((Reflect.getMetadata(REFUSALS, handler) ?? []) as string[]),
  ]);
}

function accessRefusals(handler: Function): GeneralProblem[] {
  const access = Reflect.getMetadata(ACCESS, handler) as Access | undefined;
  if (access?.kind !== 'permission') return [];
  const isOpenBefore = Reflect.getMetadata(BEFORE_SECOND_FACTOR, handler) === 'any';
  const steppedUp = Reflect.getMetadata(STEP_UP, handler) === true;
  return [
    'forbidden',
    ...(isOpenBefore ? [] : (['second-factor-required'] as const)),
    ...(steppedUp ? (['step-up-required'] as const) : []),
  ];
}
