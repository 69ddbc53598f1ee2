import { Injectable } from '@nestjs/common';
import { Problem } from '../common/problem.js';
import { keepAnAdministrator } from './last-administrator.js';
import { UsersRepository } from './users.repository.js';

export const accountStates = ['active', 'disabled'] as const;
export type AccountState = (typeof accountStates)[number];

/** Whether an account may be used. What else a lock means (sessions, tokens, the caller's right to it) is for whoever calls. */
@Injectable()
export class AccountStanding {
  constructor(private readonly users: UsersRepository) {}

  /**
   * In the running transaction. Opens no cell: accounts can be locked whose data is spoiled.
   * @returns false when the account is in that state already.
   * @throws Problem not-found; conflict for the last administrator who could unlock others.
   */
  async change(id: string, state: AccountState): Promise<boolean> {
    const standing = await keepAnAdministrator(this.users, { id, keepsAdministrator: state === 'active' });
    if (standing === null) throw new Problem('not-found');
    return this.users.changeStatus(id, state);
  }

  /** @throws Problem not-found. */
  async demand(id: string): Promise<void> {
    if (!(await this.users.exists(id))) throw new Problem('not-found');
  }
}
