import { request } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestApp } from '../../support/app.js';

/** What a Prometheus reads of an instance. */
export const scrape = (app: TestApp, instance = 0): Promise<string> =>
  new Promise((resolve, reject) => {
    const { internal: port } = app.on(instance).addresses;
    const call = request({ host: '127.0.0.1', port, path: '/metrics', agent: false }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('end', () => (answer.statusCode === 200 ? resolve(text) : reject(new Error(text))));
    });
    call.on('error', reject).end();
  });

/** Value of the series whose labels hold these; several are added up; 0 when there is none. */
export function valueIn(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return linesOf(text)
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .filter((line) => wanted.every((one) => line.includes(one)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

export const linesOf = (text: string): string[] =>
  text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

/** Names of all metrics that the text declares. */
export const namesIn = (text: string): string[] => [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name = '']) => name);

/** For raw bytes to its public listener. */
export const listenerOf = (app: TestApp) => ({
  port: app.on(0).addresses.https,
  ca: readFileSync(join(app.dataDirectory, 'tls', 'ca.crt'), 'utf8'),
});
