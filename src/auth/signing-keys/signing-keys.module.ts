// Threat: a signing key that leaked, or that nobody dares to change because requests would fail (ASVS v5.0.0-11.2.2,
// 13.3.4).
// Does: one active key; its successor is known to every instance before it signs; old keys verify until their last
// token ends.
// Does not: rotate by itself: `npm run cli -- keys:rotate jwt`, by hand or by cron.
// Remove: not by itself; access tokens are signed with these keys.
import { Module } from '@nestjs/common';
import { ServesCommands } from '../../cli/index.js';
import { JwksController } from './jwks.controller.js';
import { SigningKeyRotation } from './signing-key-rotation.js';
import { SigningKeyRepository } from './signing-key.repository.js';
import { SigningKeys } from './signing-keys.js';

/** What commands need: changes the keys, and neither holds nor watches them. */
@ServesCommands()
@Module({ providers: [SigningKeyRotation, SigningKeyRepository], exports: [SigningKeyRotation, SigningKeyRepository] })
export class SigningKeyRotationModule {}

@Module({
  imports: [SigningKeyRotationModule],
  controllers: [JwksController],
  providers: [SigningKeys],
  exports: [SigningKeys],
})
export class SigningKeysModule {}
