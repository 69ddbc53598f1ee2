import { Global, Module, type DynamicModule } from '@nestjs/common';
import { KeyRing } from '@nestjs-secure-template/field-encryption';
import { AuthoritySeals } from '../../common/access/authority-seals.js';
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
  /** The key ring is loaded before Nest starts: a bad one stops the boot with its own line. */
  static with(keyRing: KeyRing): DynamicModule {
    return {
      module: DataProtectionModule,
      providers: [{ provide: KeyRing, useValue: keyRing }, Macs, AuthoritySeals, PasswordHasher, KeyRingReload],
      exports: [KeyRing, Macs, AuthoritySeals, PasswordHasher],
    };
  }
}
