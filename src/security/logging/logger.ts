import { pino, type DestinationStream, type Logger } from 'pino';
import type { Config } from '../../config/index.js';

// JSON already escapes CR, LF and the C0 controls, so no value can end a line. These remain: C1 controls and DEL
// (terminal escapes), U+2028/9 (a line end for many viewers) and the bidi controls that make a terminal show another
// text.
const forging = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
const everyForging = new RegExp(forging, 'g');
/** Nearly every line: a look at one range costs half of a look at five. */
const plain = /^[\x20-\x7e]*\n?$/;

/** The JSON line without characters that could forge or hide log entries (ASVS v5.0.0-16.4.1); still the same JSON. */
export function harmless(line: string): string {
  if (plain.test(line) || !forging.test(line)) return line;
  return line.replace(everyForging, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** JSON lines in the words of the Elastic Common Schema, in UTC. */
export function createLogger(config: Pick<Config, 'logLevel'>, stream: DestinationStream): Logger {
  return pino(
    {
      level: config.logLevel,
      messageKey: 'message',
      base: { 'ecs.version': '8.17', 'service.name': 'api', 'process.pid': process.pid },
      timestamp: () => `,"@timestamp":"${now()}"`,
      formatters: { level: (label) => ({ 'log.level': label }) },
    },
    { write: (line: string) => stream.write(harmless(line)) },
  );
}

let second = 0;
let untilSecond = '';

/** RFC 3339 with milliseconds. The date is formatted once a second, not once a line. */
function now(): string {
  const time = Date.now();
  const milliseconds = time % 1000;
  if (time - milliseconds !== second) {
    second = time - milliseconds;
    untilSecond = new Date(time).toISOString().slice(0, 20);
  }
  return `${untilSecond}${String(milliseconds).padStart(3, '0')}Z`;
}
