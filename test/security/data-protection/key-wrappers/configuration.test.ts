import { describe, expect, it } from 'vitest';
import { faultsOf, wrappersOf } from './configuration.parts.js';

describe('configuration of key wrappers [practice 7.3] [ASVS 13.3.3]', () => {
  it('nothing is set: the key ring wraps', async () => expect(await wrappersOf({})).toEqual(['local']));

  it('a wrapper that is none: the boot names those that are', () =>
    expect(faultsOf({ KEY_WRAPPER: 'nobody' })).toContain('KEY_WRAPPER: set one of: local'));
});
