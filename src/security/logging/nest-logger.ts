import type { LoggerService, LogLevel } from '@nestjs/common';
import type { Logger } from 'pino';
import { requestContext, type RequestContext } from '../../common/http/request-context.js';
import { errorFields, framesOfText, headOf } from './error-fields.js';
import { redactText, redactValue } from './redaction.js';

/** What Nest tells about its own start: dozens of lines that only its developers read. */
const chatter = new Set(['InstanceLoader', 'NestFactory', 'RouterExplorer', 'RoutesResolver']);

type Level = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** Nest's `Logger` over pino: one JSON line per call, with the request it belongs to, redacted. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write(chatter.has(rest.at(-1) as string) ? 'debug' : 'info', message, rest);
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }
  /** The level comes from the configuration alone: code cannot turn the log off. */
  setLogLevels(_levels: LogLevel[]): void {}

  /** Nest passes the name of the class last; between message and name there may be errors, stacks and objects. */
  private write(level: Level, message: unknown, rest: unknown[]): void {
    if (!this.logger.isLevelEnabled(level)) return;
    const context = rest.length > 0 && typeof rest.at(-1) === 'string' ? (rest.at(-1) as string) : undefined;
    const request = requestContext();
    const fields: Record<string, unknown> = {
      'log.logger': context,
      ...(request && idsOf(request)),
    };
    for (const part of [message, ...rest.slice(0, context === undefined ? undefined : -1)]) add(fields, part);
    this.logger[level](fields);
  }
}

const idsOf = ({ requestId, trace, principal }: RequestContext): Record<string, unknown> => ({
  'http.request.id': requestId,
  'trace.id': trace.traceId,
  'span.id': trace.spanId,
  'user.id': principal?.userId,
});

/**
 * One argument of a log call, merged into the fields: texts join the message, errors and objects bring their fields.
 */
function add(fields: Record<string, unknown>, part: unknown): void {
  if (part === undefined) return;
  if (part instanceof Error) {
    Object.assign(fields, errorFields(part));
    fields['message'] ??= headOf(part);
  } else if (typeof part === 'string' && part.includes('\n    at ')) {
    // A stack as text, as Nest's own code passes it: its first lines quote what the error was about.
    fields['error.stack_trace'] = framesOfText(part).join('\n');
  } else if (typeof part === 'object' && part !== null) {
    const { error, ...others } = part as Record<string, unknown>;
    if (error !== undefined) Object.assign(fields, errorFields(error));
    Object.assign(fields, redactValue(others));
  } else {
    addText(fields, typeof part === 'string' ? redactText(part.slice(0, 8000)) : `a ${typeof part}`);
  }
}

function addText(fields: Record<string, unknown>, text: string): void {
  const before = fields['message'];
  fields['message'] = typeof before === 'string' ? `${before} ${text}` : text;
}
