import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config/index.js';
import { Signal, type Outcome } from '../../../src/security/telemetry/signal.js';
import { telemetrySettings } from '../../../src/security/telemetry/telemetry.settings.js';
import { production } from '../../config/production.js';

const kib = 1024;

describe('what waits for a collector [ASVS 16.2.4]', () => {
  it('is bounded in bytes: what comes then is dropped and counted, and nothing is lost twice', async () => {
    let outcome: Outcome = 'again';
    const sent: number[] = [];
    const signal = new Signal<number>({
      weigh: () => 64 * kib,
      send: async (items) => {
        if (outcome === 'sent') sent.push(...items);
        return outcome;
      },
    });
    for (let item = 0; item < 100; item++) signal.add(item);
    expect(signal.dropped).toBe(100 - 64);
    await signal.flush();
    outcome = 'sent';
    await signal.flush();
    expect(sent).toEqual(Array.from({ length: 64 }, (_, item) => item));
    expect(signal.dropped).toBe(36);
  });

  it('goes out one request after another, and while the other side takes nothing only the timer tries', async () => {
    let [running, most, asked] = [0, 0, 0];
    const signal = new Signal<number>({
      weigh: () => 1,
      send: async () => {
        asked += 1;
        most = Math.max(most, (running += 1));
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        return 'again';
      },
    });
    for (let item = 0; item < 2_000; item++) signal.add(item);
    await signal.flush();
    for (let item = 0; item < 2_000; item++) signal.add(item);
    expect([most, asked]).toEqual([1, 1]);
  });
});

describe('where telemetry goes', () => {
  const read = (env: Record<string, string>) => readConfig(env).of(telemetrySettings);

  it('takes a URL and headers as OpenTelemetry writes them; without a URL nothing is sent', () => {
    expect(read({})).toMatchObject({ OTEL_EXPORTER_OTLP_ENDPOINT: undefined });
    const { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS } = read({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example.org/otlp/',
      OTEL_EXPORTER_OTLP_HEADERS: 'Api-Key=a%20b%3D, x=y==',
    });
    expect(OTEL_EXPORTER_OTLP_ENDPOINT).toBe('https://collector.example.org/otlp');
    expect(OTEL_EXPORTER_OTLP_HEADERS).toEqual({ 'api-key': 'a b=', 'x': 'y==' });
  });

  it.each([
    ['clear text in production', { ...production, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }],
    ['a password in the URL', { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://user:canary-secret@collector.example.org' }],
    ['another scheme', { OTEL_EXPORTER_OTLP_ENDPOINT: 'ftp://collector.example.org' }],
    ['headers for nobody', { OTEL_EXPORTER_OTLP_HEADERS: 'a=canary-secret' }],
    [
      'a header that ends the line',
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example.org',
        OTEL_EXPORTER_OTLP_HEADERS: 'a=canary-secret%0d%0aHost: evil',
      },
    ],
  ])('%s stops the boot, with the name of the variable and nothing of the value [ASVS 13.2.5]', (_name, env) => {
    const start = () => readConfig(env);
    expect(start).toThrow(/OTEL_EXPORTER_OTLP_/);
    expect(start).not.toThrow(/canary-secret/);
  });
});
