import { databaseLink, redisLink, smtpLink } from './link.js';
import { listOf, mailAddress, oneOf, path, url, whole, type Variable } from './variable.js';

/** The links to other servers, and how far they are trusted. */
export const linkVariables = {
  DATABASE_URL: {
    group: 'Database',
    description: 'PostgreSQL 15 or newer. Not set: the embedded database (one instance only).',
    example: 'postgresql://app@db.example.org:5432/app?sslmode=verify-full',
    parse: url(databaseLink, 'postgresql', 'postgres'),
  },
  DATABASE_OWNER_URL: {
    group: 'Database',
    description:
      'The same database as the owner of the tables, for migrations only. Not set: ' +
      'production leaves them to db:migrate.',
    example: 'postgresql://app_owner@db.example.org:5432/app?sslmode=verify-full',
    parse: url(databaseLink, 'postgresql', 'postgres'),
  },
  DATABASE_CA_FILE: {
    group: 'Database',
    description: 'PEM file of the CAs that may sign the certificate of PostgreSQL. Not set: the public ones.',
    example: '/etc/tls/database-ca.crt',
    parse: path,
  },
  DATABASE_CERT_FILE: {
    group: 'Database',
    description: 'PEM file with the client certificate for PostgreSQL; its common name is the role.',
    example: '/etc/tls/database-client.crt',
    parse: path,
  },
  DATABASE_KEY_FILE: {
    group: 'Database',
    description: 'PEM file with the private key of that certificate.',
    example: '/etc/tls/database-client.key',
    parse: path,
  },
  DATABASE_POOL_SIZE: {
    group: 'Database',
    description: 'Connections per instance.',
    example: '10',
    fallback: 10,
    parse: whole(1, 200),
  },
  REDIS_URL: {
    group: 'Shared state',
    description: 'Redis 7 or Valkey: limits and revocations are then shared by all instances. Not set: memory.',
    example: 'rediss://redis.example.org:6379/0',
    parse: url(redisLink, 'redis', 'rediss'),
  },
  REDIS_CA_FILE: {
    group: 'Shared state',
    description: 'PEM file of the CAs that may sign the certificate of Redis. Not set: the public ones.',
    example: '/etc/tls/redis-ca.crt',
    parse: path,
  },
  REDIS_CERT_FILE: {
    group: 'Shared state',
    description: 'PEM file with the client certificate for Redis.',
    example: '/etc/tls/redis-client.crt',
    parse: path,
  },
  REDIS_KEY_FILE: {
    group: 'Shared state',
    description: 'PEM file with the private key of that certificate.',
    example: '/etc/tls/redis-client.key',
    parse: path,
  },
  ALLOW_CLEARTEXT_LINKS: {
    group: 'Shared state',
    description:
      'database, redis: these links may go in clear in production. Whoever is on the way reads and changes everything.',
    example: 'redis',
    fallback: [] as readonly ('database' | 'redis')[],
    parse: listOf(oneOf('database', 'redis')),
  },
  SMTP_URL: {
    group: 'Mail',
    description: 'The mail server: smtps://, or smtp:// with STARTTLS. Not set: mails stay in the outbox directory.',
    example: 'smtps://app@smtp.example.org:465',
    parse: url(smtpLink, 'smtps', 'smtp'),
  },
  SMTP_CA_FILE: {
    group: 'Mail',
    description: 'PEM file of the CAs that may sign the certificate of the mail server. Not set: the public ones.',
    example: '/etc/tls/smtp-ca.crt',
    parse: path,
  },
  MAIL_FROM: {
    group: 'Mail',
    description: 'The sender of all mails, one plain address. Not set: no-reply at the host of PUBLIC_URL.',
    example: 'no-reply@example.org',
    parse: mailAddress,
  },
} satisfies Record<string, Variable<unknown>>;
