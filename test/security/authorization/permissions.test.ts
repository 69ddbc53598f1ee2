import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isPermitted, permissions, roles, type Permission } from '../../../src/common/permissions.js';
import { inventory } from '../../../src/inventory/index.js';

const table = Object.entries(permissions);
const named = [...new Set(table.map(([, { objects }]) => objects as string).filter((objects) => objects.includes('Policy.')))];

/** `resourcePolicy` is what `resource.policy.ts` of the feature exports. */
const fileOf = (policy: string) => globSync(`src/*/${policy.replace(/Policy$/, '').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.policy.ts`);

describe('the table of permissions [practice 2.3] [ASVS 8.1.1] [ASVS 8.2.1]', () => {
  it.each(named)('%s decides about objects: there is such a policy, and it has both of its sides [API1]', async (name) => {
    const [policy = '', action = ''] = name.split('.');
    const files = fileOf(policy);
    expect(files).toHaveLength(1);
    const module = (await import(resolve(files[0] ?? ''))) as Record<string, Record<string, unknown> | undefined>;
    expect(module[policy]?.[action]).toMatchObject({ can: expect.any(Function), scope: expect.any(Function) });
  });

  it('every rule of every policy is asked by a permission: none stands there for nothing', async () => {
    const rules: string[] = [];
    for (const file of globSync('src/*/*.policy.ts')) {
      const module = (await import(resolve(file))) as Record<string, object>;
      for (const [name, policy] of Object.entries(module).filter(([exported]) => exported.endsWith('Policy'))) rules.push(...Object.keys(policy).map((action) => `${name}.${action}`));
    }
    expect(rules.toSorted()).toEqual(named.toSorted());
  });

  it('every permission opens a route: none waits for somebody who guesses what it is for', () => {
    const used = new Set(inventory().map(({ access }) => access));
    expect(table.map(([permission]) => permission).filter((permission) => !used.has(permission))).toEqual([]);
  });

  it('an unknown role holds no permission; every permission is held by a known role', () => {
    for (const [permission, rule] of table) {
      expect(isPermitted(['root', '__proto__', 'constructor'], permission as Permission)).toBe(false);
      expect([permission, rule.roles.length > 0, rule.roles.every((role) => roles.includes(role))]).toEqual([permission, true, true]);
      for (const role of roles) expect([permission, role, isPermitted([role], permission as Permission)]).toEqual([permission, role, (rule.roles as readonly string[]).includes(role)]);
    }
  });
});
