import { redactText } from './redaction.js';

// Texts of errors quote what they were given: PrismaClientValidationError the whole call, PostgreSQL the row (`detail`,
// `where`), JSON.parse and Node's own checks the value, a mail server the address. A list of what to cut is never
// complete, so this is the list of what may be logged: type, code, the facts below, where it happened, and the text
// only of errors that the application itself has made (ASVS v5.0.0-16.2.5, 16.5.1).

/** What names a place in the schema, in the system or in a protocol, and never a value of a request. */
const facts = [
  'severity',
  'schema',
  'table',
  'column',
  'constraint',
  'routine',
  'syscall',
  'port',
  'responseCode',
  'command',
  'status',
] as const;

/** Texts of the engine that name variables and properties of the source, and no value. */
const harmlessTexts = [
  /^Cannot (?:read|set) properties of (?:undefined|null) \((?:reading|setting) '[\w$]{1,60}'\)$/,
  /^[\w$.]{1,100} is not (?:defined|iterable|a function|a constructor)$/,
];

const engineErrors: ReadonlySet<unknown> = new Set([
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  URIError,
  EvalError,
  AggregateError,
  DOMException,
]);

/** Classes of this service. Their texts name variables, models, fields, hosts and steps. */
const ownClasses: ReadonlySet<string> = new Set([
  'ConfigurationError', 'EgressRefused', 'EgressUnavailable', 'FieldEncryptionError', 'KeyRingError',
  'KeyServiceUnavailable', 'CredentialRefused',
  'MailTransportError', 'UnusableAddressError',
]); // prettier-ignore

/** A line of a stack: `at name (place)`. Strict, because the text above it may hold lines that somebody else wrote. */
const frame = /^ {4}at (?:(?:async |new )*[\w$.<>#[\] ]{1,120} \()?([^\s()]{1,411})\)?$/;
const place = /^(?:file:\/\/|node:|data:|native|<anonymous>|\/|[A-Za-z]:\\)/;
const ofLibrary = /node_modules|\bnode:|<anonymous>|\bnative\b/;
const maxLinks = 5;
const maxFrames = 20;

/** An error as ECS `error.*` fields, with its chain of causes. Anything can be thrown, so anything is accepted. */
export function errorFields(thrown: unknown): Record<string, unknown> {
  const links = chainOf(thrown);
  const [first] = links;
  return {
    'error.type': typeOf(thrown),
    'error.code': codeOf(thrown),
    'error.message': textOfError(thrown),
    'error.facts': first === undefined ? undefined : factsOf(first),
    'error.stack_trace': links
      .map((link) => [headOf(link), ...framesOf(link).slice(0, maxFrames)].join('\n'))
      .join('\ncaused by: '),
  };
}

/** One line about it: type, code, and the text if that may be logged. */
export function headOf(thrown: unknown): string {
  const code = codeOf(thrown);
  const text = textOfError(thrown);
  return `${typeOf(thrown)}${code === undefined ? '' : ` ${code}`}${text === undefined ? '' : `: ${text}`}`;
}

/** The frames alone of a stack that came as text. */
export const framesOfText = (stack: string): string[] =>
  stack.split('\n').filter((line) => place.test(frame.exec(line)?.[1] ?? ''));

/** The error, its causes, and the errors that it stands for; a chain that bites its own tail ends too. */
function chainOf(thrown: unknown): unknown[] {
  const links: unknown[] = [];
  const waiting: unknown[] = [thrown];
  while (waiting.length > 0 && links.length < maxLinks) {
    const link = waiting.shift();
    links.push(link);
    if (!(link instanceof Error)) continue;
    if (link instanceof AggregateError && Array.isArray(link.errors)) waiting.push(...link.errors.slice(0, maxLinks));
    if (link.cause !== undefined) waiting.push(link.cause);
  }
  return links;
}

function typeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return typeof thrown;
  return (
    [thrown.name, thrown.constructor?.name].find((name) => typeof name === 'string' && /^[\w$.]{1,80}$/.test(name)) ??
    'Error'
  );
}

/**
 * `P2002`, `23505`, `ECONNREFUSED`; of Prisma's adapter, which wraps it, PostgreSQL's own; of Redis the first word
 * (`WRONGPASS`).
 */
function codeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { code, cause, name } = thrown as { code?: unknown; cause?: unknown; name: string };
  const inner =
    typeof cause === 'object' && cause !== null && !(cause instanceof Error)
      ? (cause as { originalCode?: unknown }).originalCode
      : undefined;
  const word = name === 'ReplyError' ? /^[A-Z]{2,20}(?= )/.exec(thrown.message)?.[0] : undefined;
  return [code, inner, word].find((one) => typeof one === 'string' && /^[\w-]{2,60}$/.test(one)) as string | undefined;
}

function factsOf(thrown: unknown): Record<string, string | number> | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const of = thrown as unknown as Record<string, unknown>;
  const modelName = (of['meta'] as { modelName?: unknown } | undefined)?.modelName;
  const found = Object.entries({ ...Object.fromEntries(facts.map((name) => [name, of[name]])), modelName });
  const kept = found.filter(
    (fact): fact is [string, string | number] =>
      typeof fact[1] === 'number' || (typeof fact[1] === 'string' && /^[\w .-]{1,80}$/.test(fact[1])),
  );
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/** The text, if the application wrote it, or the engine without a value in it. */
function textOfError(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || typeof thrown.message !== 'string') return undefined;
  if (engineErrors.has(thrown.constructor) && harmlessTexts.some((text) => text.test(thrown.message)))
    return thrown.message;
  return isOfApplication(thrown) ? redactText(thrown.message) : undefined;
}

/**
 * Of a class whose texts are the application's own, and made in its code: the place on top of the stack is no library's
 * and not Node's.
 */
function isOfApplication(error: Error): boolean {
  if (error.constructor !== Error && !ownClasses.has(error.constructor?.name)) return false;
  const [top] = framesOf(error);
  return top !== undefined && !ofLibrary.test(top);
}

/** What comes after the text: a text with lines like those of a stack must not pass for one. */
function framesOf(thrown: unknown): string[] {
  if (!(thrown instanceof Error) || typeof thrown.stack !== 'string') return [];
  const { stack, message } = thrown;
  const begin = stack.indexOf(message);
  return begin === -1 ? [] : framesOfText(stack.slice(begin + message.length));
}
