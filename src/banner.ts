import { relative } from 'node:path';
import type { Addresses } from './app.js';
import type { Config } from './config/index.js';

/** Where to go, for the person who has just started the service. On stderr: stdout is the log. */
export function banner(config: Config, { https, http, internal, caFile }: Addresses): string {
  if (config.production)
    return `listening on https://${config.host}:${https}, internal on ${config.internalHost}:${internal}\n`;
  const origin = `https://localhost:${https}`;
  const rows: (readonly [string, string])[] = [
    ['API', origin],
    ...(config.apiDocs ? ([['Docs', `${origin}/docs`]] as const) : []),
    ['Mailbox', `http://${config.internalHost}:${internal}/mailbox`],
    ['Health', `http://${config.internalHost}:${internal}/health/ready`],
    ['Plain HTTP', `http://localhost:${http} (redirects browsers, refuses everything else)`],
  ];
  if (caFile !== undefined) {
    const file = relative(process.cwd(), caFile);
    rows.push(['CA file', file], ['Try it', `curl --cacert ${file} ${origin}/.well-known/jwks.json`]);
  }
  return `\n${rows.map(([name, value]) => `  ${name.padEnd(11)} ${value}`).join('\n')}\n\n`;
}
