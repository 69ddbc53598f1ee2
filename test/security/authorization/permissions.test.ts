import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { definePermissions, isPermitted, permissions, roles, user } from '../../../src/common/access/permissions.js';
import { inventoryWithSamples } from '../../support/inventory.js';
import { SampleFactorModule } from '../../support/sample/sample-factor.module.js';

// With samples of a feature and of a second factor, which other files of the process may have declared already.
const routes = inventoryWithSamples(SampleFactorModule);
const policies = '{src,test/support}/**';
const table = permissions();
const named = [...new Set(table.map(({ objects }) => objects).filter((objects) => objects.includes('Policy.')))];

/** `samplePolicy` is what `sample.policy.ts` of the feature exports. */
const fileOf = (policy: string) => {
  const words = policy.replace(/Policy$/, '').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return globSync(`${policies}/${words}.policy.ts`);
};

describe('the permissions that features declare [practice 2.3] [ASVS 8.1.1] [ASVS 8.2.1]', () => {
  it.each(named)(
    '%s decides about objects: there is such a policy, and it has both of its sides [API1]',
    async (name) => {
      const [policy = '', action = ''] = name.split('.');
      const files = fileOf(policy);
      expect(files).toHaveLength(1);
      const module = (await import(resolve(files[0] ?? ''))) as Record<string, Record<string, unknown> | undefined>;
      const rule = module[policy]?.[action];
      // One that depends on what is changed is a function of the changes.
      const decided: unknown = typeof rule === 'function' ? rule({}) : rule;
      expect(decided).toMatchObject({ can: expect.any(Function), scope: expect.any(Function) });
    },
  );

  it('every rule of every policy is asked by a permission: none stands there for nothing', async () => {
    const rules: string[] = [];
    for (const file of globSync(`${policies}/*.policy.ts`)) {
      const module = (await import(resolve(file))) as Record<string, object>;
      for (const [name, policy] of Object.entries(module).filter(([exported]) => exported.endsWith('Policy')))
        rules.push(...Object.keys(policy).map((action) => `${name}.${action}`));
    }
    expect(rules.toSorted()).toEqual(named.toSorted());
  });

  it('every permission opens a route: none waits for somebody who guesses what it is for', () => {
    const used = new Set(routes.map(({ access }) => access));
    expect(table.map(({ name }) => name).filter((name) => !used.has(name))).toEqual([]);
  });

  it('a role holds what names it; an unknown role, or one with the name of something inherited, holds nothing', () => {
    for (const permission of table) {
      expect([permission.name, permission.roles.length > 0]).toEqual([permission.name, true]);
      expect(isPermitted(['root', '__proto__', 'constructor', 'length'], permission)).toBe(false);
      for (const role of roles)
        expect([permission.name, role, isPermitted([role], permission)]).toEqual([
          permission.name,
          role,
          permission.roles.includes(role),
        ]);
    }
  });

  it('a permission is declared a second time, or for a role that nobody declared: the file does not load', () => {
    const rule = { objects: 'self', roles: [user] } as const;
    expect(() => definePermissions('account', { read: rule })).toThrow('account:read is declared twice');
    expect(() => definePermissions('parcel', { read: { ...rule, roles: ['usr'] } })).toThrow(
      'parcel:read is given to the role usr, which nobody declared',
    );
    expect(permissions().map(({ name }) => name)).not.toContain('parcel:read');
  });

  it('somebody adds a role to a permission at run time: it is frozen', () => {
    for (const { roles: holders } of table)
      expect(() => (holders as unknown as string[]).push('guest')).toThrow(TypeError);
  });
});
