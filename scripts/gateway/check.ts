// What nginx says of a configuration, with the fix.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';

const fixes: readonly (readonly [RegExp, string])[] = [
  [/exported\/[\w.]+" failed/, 'npm run gateway:export nginx'],
  [/modsecurity_module\.so|unknown directive "modsecurity/, 'apt-get install libnginx-mod-http-modsecurity'],
  [/modsecurity-crs/, 'apt-get install modsecurity-crs'],
  [
    /cannot load certificate key|SSL_CTX_use_PrivateKey|key values mismatch/,
    'name the key that belongs to the certificate',
  ],
  [
    /cannot load certificate|SSL_CTX_load_verify|no start line/,
    'name a PEM file that is there, and that nginx may read',
  ],
  [/host not found in upstream/, 'name an address, or a host that this machine can resolve'],
  [/unknown directive/, 'mend its spelling, or install the module that brings it'],
  [/invalid number of arguments|is not terminated|unexpected/, 'mend the directive; each ends with a semicolon'],
  [/unknown "\w+" variable/, 'mend its spelling, or set it in site/'],
  [/[Rr]ules? (?:error|id)|Expecting an action|duplicated/, 'mend the rule; each has an id of its own'],
  [/open\(\) .* failed/, 'put the file there, or name the one that is'],
];

/** One line for each fault: file, line, what is wrong, and the fix. Nothing is started. */
export function faultsOf(folder: string): string[] {
  const prefix = mkdtempSync(join(tmpdir(), 'gateway-check-'));
  try {
    const { error, status, stderr } = spawnSync(
      'nginx',
      ['-t', '-q', '-p', `${prefix}/`, '-c', resolve(folder, 'nginx.conf')],
      { cwd: folder, encoding: 'utf8', env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` } },
    );
    if (error !== undefined)
      return ['nginx is not there: apt-get install nginx libnginx-mod-http-modsecurity modsecurity-crs'];
    if (status === 0) return [];
    const said = stderr.split('\n').filter((line) => /\[(?:emerg|alert|crit)\]|[Rr]ules error/.test(line));
    const faults = said.map((line) => faultOf(line, folder));
    return faults.length > 0 ? faults : [stderr.trim()];
  } finally {
    rmSync(prefix, { recursive: true, force: true });
  }
}

/** `nginx: [emerg] unknown directive "x" in /etc/gateway/nginx.conf:12` */
function faultOf(line: string, folder: string): string {
  const message = line.replace(/^.*\[(?:emerg|alert|crit)\] (?:\d+#\d+: )?/, '');
  const fix = fixes.find(([pattern]) => pattern.test(message))?.[1] ?? 'mend that line';
  const [, text = message, file, number] = /^(.*) in (\/[^ ]+):(\d+)$/s.exec(message) ?? [];
  const place = file === undefined ? folder : `${relative(process.cwd(), file)}:${number}`;
  return `${place}: ${text}\n  fix: ${fix}`;
}
