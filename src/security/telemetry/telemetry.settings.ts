import { declareSettings, faultsAmong } from '../../config/index.js';

const group = 'Telemetry (OpenTelemetry)';

export const telemetrySettings = declareSettings(
  {
    OTEL_EXPORTER_OTLP_ENDPOINT: {
      group,
      description:
        'Where logs, metrics and traces go by OTLP/HTTP; v1/logs and so on is added to it. ' +
        'http:// only in development, and only on this machine. Not set: nothing is sent.',
      example: 'https://otel-collector.example.org:4318',
      parse: endpoint,
    },
    OTEL_EXPORTER_OTLP_HEADERS: {
      group,
      description: 'What the collector asks for: name=value, separated by commas; values percent-encoded.',
      example: '',
      fallback: {},
      parse: headers,
    },
  },
  ({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_HEADERS: fields }, config) =>
    faultsAmong([
      [
        config.production && url?.startsWith('http:') === true,
        'OTEL_EXPORTER_OTLP_ENDPOINT: set an https:// URL: log lines and its headers must not be read on the way',
      ],
      [
        url === undefined && Object.keys(fields).length > 0,
        'OTEL_EXPORTER_OTLP_HEADERS: set OTEL_EXPORTER_OTLP_ENDPOINT too, or leave the headers out',
      ],
    ]),
);

/** Without a slash at its end. */
function endpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url !== undefined && [url.username, url.password, url.search, url.hash].every((part) => part === '');
  if (!isPlain || !['https:', 'http:'].includes(url.protocol))
    throw new Error('set an https URL without user, query and fragment');
  return url.href.replace(/\/+$/, '');
}

/** The form of the specification of OpenTelemetry, which is that of W3C Baggage. */
function headers(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(',').map((pair) => pair.trim());
  return Object.fromEntries(pairs.filter((pair) => pair !== '').map(headerOf));
}

function headerOf(pair: string): [string, string] {
  const [, name, encoded] = /^([\w-]{1,100})\s*=\s*(\S[ -~]{0,4000})$/.exec(pair) ?? [];
  const value = encoded === undefined ? undefined : decoded(encoded);
  if (name === undefined || value === undefined || !/^[ -~]+$/.test(value))
    throw new Error('set name=value pairs separated by commas, with percent-encoded values');
  return [name.toLowerCase(), value];
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
