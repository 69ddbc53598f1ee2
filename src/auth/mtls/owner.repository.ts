import { Injectable } from '@nestjs/common';
import { AuthoritySeals, sealedAccount } from '../../common/access/authority-seals.js';
import type { Role } from '../../common/access/permissions.js';
import { Database } from '../../database/index.js';

@Injectable()
export class OwnerRepository {
  constructor(
    private readonly database: Database,
    private readonly seals: AuthoritySeals,
  ) {}

  /** The roles that the account has now; undefined for one that may do nothing, or that is not there. */
  async rolesOf(id: string): Promise<readonly Role[] | undefined> {
    const account = await this.database.client.user.findUnique({ where: { id }, select: sealedAccount });
    if (account === null) return undefined;
    const { status, roles } = this.seals.trusted(account);
    return status === 'active' ? roles : undefined;
  }
}
