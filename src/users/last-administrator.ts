import { Problem } from '../common/problem.js';
import type { Standing, UsersRepository } from './users.repository.js';

interface Change {
  readonly id: string;
  /** Whether the person may go on as an administrator after the change, if they are one. */
  readonly keepsAdministrator: boolean;
}

/**
 * First in every transaction that gives or takes a role, or locks or deletes an account: the last administrator has to stay one. All of
 * them are locked together with the person, and what is returned was read under that lock: whoever reads first decides by what was.
 * Opens no cell: accounts can be changed whose data is spoiled.
 * @returns null when nobody has the id. @throws Problem conflict
 */
export async function keepAnAdministrator(users: UsersRepository, { id, keepsAdministrator }: Change): Promise<Standing | null> {
  const locked = await users.lockWithAdministrators(id);
  const person = locked.find((row) => row.id === id) ?? null;
  const isLast = person !== null && isAdministrator(person) && locked.filter(isAdministrator).length === 1;
  if (isLast && !keepsAdministrator) throw new Problem('conflict', 'The last administrator has to stay one.');
  return person;
}

const isAdministrator = ({ roles, status }: Standing): boolean => status === 'active' && roles.includes('admin');
