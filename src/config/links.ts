import { isLoopback } from '../common/http/network.js';
import type { Config } from './config.types.js';
import { databaseLink, redisLink, smtpLink, type Link, type LinkFiles } from './link.js';

/** The faults of all links, in words that hold no value of theirs. */
export function linkFaults(config: Config): string[] {
  const { production, databaseUrl, databaseOwnerUrl, databaseFiles, redisUrl, redisFiles, smtpUrl, smtpFiles } = config;
  const rules = [
    { variable: 'DATABASE_URL', kind: 'database', url: databaseUrl, read: databaseLink, files: databaseFiles },
    {
      variable: 'DATABASE_OWNER_URL',
      kind: 'database',
      url: databaseOwnerUrl,
      read: databaseLink,
      files: databaseFiles,
    },
    { variable: 'REDIS_URL', kind: 'redis', url: redisUrl, read: redisLink, files: redisFiles },
    { variable: 'SMTP_URL', kind: 'smtp', url: smtpUrl, read: smtpLink, files: smtpFiles },
  ] as const;
  const faults = rules.flatMap(({ variable, kind, url, read, files }) => {
    if (url === undefined) return [];
    const link = read(url);
    const accepted = kind !== 'smtp' && config.allowCleartextLinks.includes(kind);
    return [
      ...fileFaults(variable, link, files),
      ...(production ? productionFaults(variable, link, { files, accepted }) : []),
    ];
  });
  // Without the other one, the service would quietly start on the embedded database.
  if (databaseOwnerUrl !== undefined && databaseUrl === undefined)
    faults.push('DATABASE_OWNER_URL needs DATABASE_URL: set both');
  return [...new Set(faults)];
}

/** Faults that hold everywhere: settings that promise TLS and do nothing. */
function fileFaults(variable: string, link: Link, files: LinkFiles): string[] {
  const [name] = variable.split('_');
  const faults: string[] = [];
  if ((files.certFile === undefined) !== (files.keyFile === undefined)) {
    faults.push(`${name}_CERT_FILE and ${name}_KEY_FILE go together: set both or neither`);
  }
  if (!link.tls && Object.values(files).some((file) => file !== undefined)) {
    faults.push(
      `${variable} asks for no TLS, so the ${name} certificate files do nothing: ${howToAsk(variable)}, or unset them`,
    );
  }
  return faults;
}

/** What production refuses on a link that leaves the machine (ASVS v5.0.0-12.3.1, 12.3.2, 13.2.3). */
function productionFaults(
  variable: string,
  link: Link,
  { files, accepted }: { files: LinkFiles; accepted: boolean },
): string[] {
  if (link.host.startsWith('/') || isLoopback(link.host)) return [];
  const [name] = variable.split('_');
  const faults: string[] = [];
  if (!link.tls && !accepted) {
    faults.push(
      `${variable}: the link would go in clear: ${howToAsk(variable)}, and ${name}_CA_FILE for a CA of your own`,
    );
  }
  const certified = link.tls && files.certFile !== undefined;
  if (!certified && logsIn(variable, link) && isKnownPassword(link)) {
    const certificate = variable === 'SMTP_URL' ? '' : `, or ${name}_CERT_FILE`;
    faults.push(`${variable}: the password is empty or one that everybody tries: set a long random one${certificate}`);
  }
  return faults;
}

/** A mail server may know its clients by their network. */
const logsIn = (variable: string, { user }: Link): boolean => variable !== 'SMTP_URL' || user !== undefined;

function howToAsk(variable: string): string {
  if (variable === 'SMTP_URL') return 'begin it with smtps://';
  return variable === 'REDIS_URL' ? 'begin it with rediss://' : 'add ?sslmode=verify-full';
}

// The defaults of images, packages and manuals; compared in lower case.
const knownPasswords = new Set([
  ...'postgres postgresql redis foobared default root admin user guest test example'.split(' '),
  ...'password passw0rd secret changeme change-me 123456 12345678'.split(' '),
]);

const isKnownPassword = ({ user, password, database }: Link): boolean =>
  password === undefined || password === user || password === database || knownPasswords.has(password.toLowerCase());
