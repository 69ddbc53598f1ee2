import { Global, Module, type DynamicModule } from '@nestjs/common';
import { KeyRing } from '@nestjs-secure-template/field-encryption';
import { AuthoritySeals } from '../../common/access/authority-seals.js';
import { Clock } from '../../common/clock.js';
import { Measures, type Reading } from '../../common/events/measures.js';
import { Macs } from '../../common/macs.js';
import { KeyRingReload } from './key-ring-reload.js';
import { PasswordHasher } from './password-hasher.js';

// Practice 7. Threat: whoever reads the database, a backup or a disk reads people; whoever writes it, becomes them.
// Does: seals personal data and secrets per field and row (field-encryption/), MACs tokens, hashes passwords with
// argon2id.
// Does not: hide row counts, sizes, times or equality of indexed values; protect from code that runs inside the
// process.
// Remove: not by itself; the schema annotates what it seals, and the database refuses plaintext in those columns.
@Global()
@Module({})
export class DataProtectionModule {
  constructor(hasher: PasswordHasher, keyRing: KeyRing, clock: Clock, measures: Measures) {
    measures.add({
      name: 'password_hashes_running',
      help: 'Password hashes that are computed now.',
      read: () => hasher.load.running,
    });
    measures.add({
      name: 'password_hashes_waiting',
      help: 'Password hashes that wait for a place; each has a person behind it.',
      read: () => hasher.load.waiting,
    });
    measures.add({
      name: 'key_ring_key_age_seconds',
      help: 'Age of the active key of the key ring, by purpose.',
      labels: ['purpose'],
      read: () => agesOf(keyRing, clock.now()),
    });
  }

  /** The key ring is loaded before Nest starts: a bad one stops the boot with its own line. */
  static with(keyRing: KeyRing): DynamicModule {
    return {
      module: DataProtectionModule,
      providers: [{ provide: KeyRing, useValue: keyRing }, Macs, AuthoritySeals, PasswordHasher, KeyRingReload],
      exports: [KeyRing, Macs, AuthoritySeals, PasswordHasher],
    };
  }
}

/** A key whose file does not tell when it was made is left out. */
const agesOf = (keyRing: KeyRing, now: Date): Reading[] =>
  keyRing.purposes.flatMap((purpose) => {
    const { createdAt } = keyRing.all(purpose)[0] ?? {};
    if (createdAt === undefined) return [];
    return { labels: { purpose }, value: (now.getTime() - createdAt.getTime()) / 1000 };
  });
