// With: detection, administration, api-keys, resources.

import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { drills } from '../../../scripts/drill/attacks.js';

const drill = (name: string) =>
  spawnSync(process.execPath, ['scripts/drill.ts', name], { encoding: 'utf8', timeout: 110_000 });

describe('the drill: each attack is noticed, answered and over [practice 11.3] [practice 10.3]', () => {
  it.each(Object.keys(drills))('%s', { timeout: 120_000 }, (name) => {
    const { status, stdout } = drill(name);
    expect([status, stdout]).toEqual([0, expect.stringMatching(/ s {2}attack [^]* s {2}response [^]* s {2}stopped /)]);
    expect(stdout).toMatch(/ s {2}alert /);
  });

  it('an attack that it does not know: it says which there are', () => {
    const { status, stdout } = drill('nothing');
    expect([status, stdout]).toEqual([2, expect.stringContaining('npm run drill <stuffing|')]);
  });
});
