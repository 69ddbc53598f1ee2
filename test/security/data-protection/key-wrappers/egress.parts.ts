import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KeyWrapper } from '@nestjs-secure-template/field-encryption';
import { readConfig } from '../../../../src/config/index.js';
import { Egress } from '../../../../src/egress/egress.js';
import { openKeyWrappers } from '../../../../src/security/data-protection/index.js';
import { newKeyRing, type Environment } from './configuration.parts.js';

export interface AskedService {
  /** What chooses it, when it is known by that host name. */
  readonly envAt: (host: string) => Environment;
  /** What it was asked so far. */
  readonly operations: unknown[];
  close(): Promise<void>;
}

/** @param address what every name resolves to. */
export async function wrapperOf(env: Environment, address: string): Promise<KeyWrapper> {
  const config = readConfig(env);
  const egress = new Egress(config, async () => [{ address, family: 4 }]);
  const [chosen] = await openKeyWrappers(config, await newKeyRing(), egress);
  if (chosen === undefined) throw new Error('there is no wrapper');
  return chosen;
}

/** What any key service must keep to; its own test calls it. */
export function isAskedThroughEgress(name: string, open: () => Promise<AskedService>): void {
  describe(`${name} is asked through egress [ASVS 13.2.4] [A7-2]`, () => {
    const context: Parameters<KeyWrapper['wrap']>[1] = { dataKeyId: 'one', purpose: 'pii', subject: 'ann' };
    const secret = Buffer.alloc(32, 7);
    let service: AskedService;

    beforeAll(async () => {
      service = await open();
    });
    beforeEach(() => void (service.operations.length = 0));
    afterAll(() => service.close());

    it('on this machine it works', async () => {
      const wrapper = await wrapperOf(service.envAt('localhost'), '127.0.0.1');
      expect(await wrapper.unwrap(await wrapper.wrap(secret, context), context)).toEqual(secret);
      expect(service.operations.length).toBeGreaterThan(1);
    });

    it('its name is bound to the metadata service: nothing is sent', async () => {
      const wrapper = await wrapperOf(service.envAt('localhost'), '169.254.169.254');
      await expect(wrapper.wrap(secret, context)).rejects.toMatchObject({ name: 'KeyServiceUnavailable' });
      expect(service.operations).toEqual([]);
    });
  });
}
