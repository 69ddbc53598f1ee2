import type { AuditEntry } from '../../audit-entry.js';
import type { ExportRecord, Format } from './record.js';

/** No separator of lines that anybody knows: what a client wrote must not begin an entry of its own. */
// eslint-disable-next-line no-control-regex
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** ArcSight CEF rev. 26: in the header `|` and `\` are escaped, and there are no lines. */
const header = (text: string): string => text.replace(/[\\|]/g, String.raw`\$&`).replace(controls, ' ');

/** In the extension `=` and `\` are escaped, and newlines are written `\n` and `\r`. */
const extension = (text: string): string =>
  text
    .replace(/[\\=]/g, String.raw`\$&`)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('\r', String.raw`\r`)
    .replace(controls, ' ');

/** Common Event Format, one entry a line. */
export const cef: Format = (record) => {
  const { action, outcome } = record.event;
  const severity = outcome === 'success' ? '3' : '5';
  const head = ['CEF:0', 'nestjs-secure-template', 'audit', '1', action, action, severity].map(header).join('|');
  const fields = Object.entries(fieldsOf(record)).filter(([, value]) => value !== null);
  return `${head}|${fields.map(([name, value]) => `${name}=${extension(String(value))}`).join(' ')}`;
};

const fieldsOf = ({ event, stream, seq, hash }: ExportRecord) => ({
  rt: event.at.getTime(),
  externalId: event.id,
  act: event.action,
  outcome: event.outcome,
  suid: event.actorId,
  ...addressOf(event.network),
  ...labelled('cs1', 'requestId', event.requestId),
  ...labelled('cs2', 'target', targetOf(event)),
  ...labelled('cs3', 'session', event.sessionId),
  ...labelled('cs4', 'machine', event.machineId),
  ...labelled('cs5', 'details', JSON.stringify(event.details)),
  ...labelled('cs6', 'link', `${stream} ${hash.toString('base64')}`),
  ...labelled('cn1', 'seq', seq),
});

const targetOf = ({ targetType, targetId }: AuditEntry) => (targetId === null ? null : `${targetType} ${targetId}`);

const labelled = (name: string, label: string, value: string | number | null) => ({
  [`${name}Label`]: value === null ? null : label,
  [name]: value,
});

/** `src` holds an IPv4 address alone. */
const addressOf = (network: string | null) =>
  network === null || !/^[\d.]+$/.test(network) ? labelled('flexString1', 'network', network) : { src: network };
