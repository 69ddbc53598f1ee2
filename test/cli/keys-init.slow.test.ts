import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

describe('keys:init, before anything else is there [ASVS 13.3.1] [practice 7.1]', () => {
  it('production has nothing but KEY_RING_FILE: the ring is made, and a second run changes nothing', () => {
    const directory = mkdtempSync(join(tmpdir(), 'service-ring-'));
    const file = join(directory, 'keys.json');
    const init = () => {
      const env = { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', KEY_RING_FILE: file };
      return spawnSync(process.execPath, ['dist/cli/main.js', 'keys:init'], { env, encoding: 'utf8' });
    };
    try {
      expect(init()).toMatchObject({ status: 0, stdout: expect.stringContaining(`made ${file}`) });
      const made = readFileSync(file, 'utf8');
      expect(init()).toMatchObject({ status: 1, stderr: expect.stringContaining('it is there already') });
      expect(readFileSync(file, 'utf8')).toBe(made);
    } finally {
      rmSync(directory, { recursive: true });
    }
  }, 60_000);
});
