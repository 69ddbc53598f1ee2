import { Global, Module, type DynamicModule } from '@nestjs/common';
import { AuthoritySeals } from '../../common/authority-seals.js';
import { Macs as MacsOfAll } from '../../common/macs.js';
import { KeyRing } from './key-ring.js';
import { Macs } from './macs.js';
import { KeyRingReload } from './maintenance/key-ring-reload.js';
import { PasswordHasher } from './password-hasher.js';

// Practice 7. Threat: whoever reads the database, a backup or a disk reads people; whoever writes it, becomes them.
// Does: seals personal data and secrets per field and row (field-encryption/), MACs tokens, hashes passwords with argon2id.
// Does not: hide row counts, sizes, times or equality of indexed values; protect from code that runs inside the process.
// Remove: drop the annotations in schema.prisma (after decrypting the columns), this line, and protectFields() in database/.
@Global()
@Module({})
export class DataProtectionModule {
  /** The key ring is loaded before Nest starts: a bad one stops the boot with its own line. */
  static with(keyRing: KeyRing): DynamicModule {
    return {
      module: DataProtectionModule,
      providers: [{ provide: KeyRing, useValue: keyRing }, Macs, { provide: MacsOfAll, useExisting: Macs }, AuthoritySeals, PasswordHasher, KeyRingReload],
      exports: [KeyRing, Macs, MacsOfAll, AuthoritySeals, PasswordHasher],
    };
  }
}
