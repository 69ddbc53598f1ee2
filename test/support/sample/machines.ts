import { randomUUIDv7 } from 'node:crypto';
import { Injectable, Module, type OnModuleInit } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { machineScopes } from '../../../src/common/access/access.decorators.js';
import { CredentialRefused } from '../../../src/common/access/credential-refused.js';
import { MachineAuthenticators, type MachineAuthenticator } from '../../../src/common/access/machine-authenticators.js';
import type { Machine } from '../../../src/common/access/principal.js';
import { Database } from '../../../src/database/index.js';

interface Claims extends Pick<Machine, 'userId'>, Partial<Pick<Machine, 'scopes' | 'tier' | 'machineId' | 'limits'>> {}

const prefix = 'Bearer sample-machine_';

/** A token for a machine of that owner; left out, it may do whatever a machine can be allowed to. */
export function machineToken({
  userId,
  scopes = machineScopes,
  tier = 'standard',
  machineId = randomUUIDv7(),
  limits,
}: Claims): string {
  const claims = Buffer.from(JSON.stringify({ userId, scopes, tier, machineId, limits }));
  return `${prefix.slice('Bearer '.length)}${claims.toString('base64url')}`;
}

/**
 * Machines for the tests of the practices, so that these stay when API keys and other methods go. What the token says
 * is believed, but for the roles, which are those of the owner now: it is for tests alone.
 */
@Injectable()
class SampleMachines implements MachineAuthenticator, OnModuleInit {
  readonly name = 'sample-machine';
  readonly place = 'authorization';
  readonly scheme = { type: 'http', scheme: 'bearer' } as const;

  constructor(
    private readonly database: Database,
    private readonly authenticators: MachineAuthenticators,
  ) {}

  onModuleInit(): void {
    this.authenticators.register(this);
  }

  find({ headers: { authorization = '' } }: FastifyRequest): string | undefined {
    return authorization.startsWith(prefix) ? authorization.slice(prefix.length) : undefined;
  }

  async authenticate(credential: string): Promise<Machine> {
    const machine = await this.present(JSON.parse(Buffer.from(credential, 'base64url').toString()) as Machine);
    if (machine === undefined) throw new CredentialRefused('revoked');
    return machine;
  }

  /** Nothing is remembered. */
  forget(): void {}

  async present({ userId, ...claims }: Machine): Promise<Machine | undefined> {
    const [owner] = await this.database.client.$queryRaw<{ roles: string[] }[]>`
      SELECT roles FROM users WHERE id = ${userId}::uuid AND status = 'active'`;
    return owner && { ...claims, kind: 'machine', method: this.name, userId, roles: owner.roles };
  }
}

@Module({ providers: [SampleMachines] })
export class SampleMachinesModule {}
