import { globSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { describe, expect, it } from 'vitest';

// No test runs Vector, Fluent Bit or the collector: their files are held against a list of option names that was made
// without their programs. It finds the option that was misspelt, and a secret or clear text; it does not find what only
// the shipper itself would. syslog-ng is run by tests of its own.

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));
/** Every key that a recipe may use. */
const listed: Readonly<Record<string, ReadonlySet<string>>> = {
  'vector': words(
    'data_dir sources stdout type include transforms ecs inputs source sinks elasticsearch endpoints mode bulk ' +
      'action ' +
      'data_stream dataset namespace auth strategy user password compression buffer max_size when_full datadog ' +
      'default_api_key site splunk endpoint default_token sourcetype timestamp_key encoding codec loki labels ' +
      'service ' +
      'level out_of_order_action',
  ),
  'fluent-bit': words(
    'includes service flush storage.path storage.sync storage.backlog.mem_limit parsers name format time_key ' +
      'time_format time_keep pipeline inputs outputs tag path parser read_from_head db storage.type match host port ' +
      'index write_operation suppress_type_name replace_dots http_user http_passwd tls tls.verify retry_limit ' +
      'storage.total_limit_size apikey dd_service dd_source compress splunk_token event_sourcetype labels line_format',
  ),
  'otel-collector': words(
    'receivers otlp protocols http endpoint filelog include operators type timestamp parse_from layout_type layout ' +
      'severity trace trace_id span_id from to processors memory_limiter check_interval limit_mib batch exporters ' +
      'otlphttp headers authorization sending_queue storage extensions file_storage directory service pipelines logs ' +
      'metrics traces',
  ),
};
const recipes = globSync('deploy/{vector,fluent-bit,otel-collector}/*.yaml').toSorted();

describe('recipes for shippers that read stdout', () => {
  it.each(recipes)('%s: names only options of the list', (path) => {
    const text = readFileSync(path, 'utf8')
      .replaceAll(/^\s*#.*$/gm, '')
      .replaceAll(/source: \|\n(?: {6}.*\n?)+/g, 'source: x\n')
      .replaceAll(/'[^']*'|\$\{[^}]*\}/g, 'x');
    const keys = [...text.matchAll(/(?:^|[{,-])\s*([a-z_][\w.]*):/gm)].map(([, key = '']) => key);
    expect(keys.length).toBeGreaterThan(5);
    expect(keys.filter((key) => listed[basename(dirname(path))]?.has(key) !== true)).toEqual([]);
  });

  it.each([...recipes, ...globSync('deploy/syslog-ng/*.conf')])(
    '%s: secrets come from the environment, and nothing leaves in clear [ASVS 13.3.1, 12.3.1]',
    (path) => {
      const text = readFileSync(path, 'utf8').replaceAll(/^\s*#.*$/gm, '');
      const secrets = text.match(
        /^.*\b(?:password|http_passwd|apikey|DD-API-KEY|default_api_key|\w*token|authorization)\b *[:=(].*$/gim,
      );
      for (const line of secrets ?? []) expect(line).toMatch(/[$`]\{?(?:env:)?[A-Z_]+/);
      expect(text).not.toMatch(/http:\/\/|verify(?:_certificate)?(?:: *|\()(?:off|false|no)\b|insecure/i);
    },
  );
});
