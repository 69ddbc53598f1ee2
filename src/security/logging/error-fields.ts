import { inspect } from 'node:util';
import { redactText } from './redaction.js';

/** An error as ECS `error.*` fields, with its chain of causes. Anything can be thrown, so anything is accepted. */
export function errorFields(thrown: unknown): Record<string, unknown> {
  if (!(thrown instanceof Error)) return { 'error.type': typeof thrown, 'error.message': redactText(textOf(thrown)) };
  const code = (thrown as { code?: unknown }).code;
  return {
    'error.type': thrown.name,
    'error.code': typeof code === 'string' ? code : undefined,
    'error.message': redactText(thrown.message),
    'error.stack_trace': redactText(stackOf(thrown)),
  };
}

/** The stacks of the error and of up to four causes; a chain that bites its own tail ends there too. */
function stackOf(error: Error): string {
  const stacks: string[] = [];
  for (let link: unknown = error; link !== undefined && stacks.length < 5; link = (link as { cause?: unknown })?.cause) {
    stacks.push(link instanceof Error ? (link.stack ?? link.message) : textOf(link));
  }
  return stacks.join('\ncaused by: ');
}

/** Any value as text, without running code of its own (getters, proxies, toJSON). */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value.slice(0, 8000);
  return inspect(value, { depth: 2, customInspect: false, breakLength: Infinity }).slice(0, 1000);
}
