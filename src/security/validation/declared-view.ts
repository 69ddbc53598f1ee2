import type { Type } from '@nestjs/common';

// The metadata keys of @nestjs/swagger's decorators; the package does not export its constants.
const API_RESPONSE = 'swagger/apiResponse';
const API_PRODUCES = 'swagger/apiProduces';

interface DeclaredAnswer {
  readonly type?: Type;
}

/** The declared answer of a handler: the view of its 2xx response, `nothing` for one without a body. */
export function declaredView(handler: Function): Type | 'nothing' | 'file' | undefined {
  if (Reflect.getMetadata(API_PRODUCES, handler) !== undefined) return 'file';
  const answers = (Reflect.getMetadata(API_RESPONSE, handler) ?? {}) as Record<string, DeclaredAnswer>;
  const success = Object.entries(answers).find(([status]) => status.startsWith('2'));
  if (success === undefined) return undefined;
  const [status, { type }] = success;
  return type ?? (status === '204' ? 'nothing' : undefined);
}
