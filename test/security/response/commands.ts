import { expect } from 'vitest';
import type { CommandEnds } from '../../cli/ends.js';

const why = ['--reason', 'an exercise', '--operator', 'erin'];

export const commandEnds: CommandEnds = {
  async 'respond:status'(_, end) {
    expect(await end('respond:status')).toEqual({
      code: 0,
      output: 'nothing is blocked, and there is no lockdown\n',
    });
  },

  async 'respond:block'(_, end) {
    expect(await end('respond:block', ['203.0.113.7', ...why])).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^blocked 203\.0\.113\.7 until /),
    });
    expect((await end('respond:status')).output).toMatch(/^block {2}203\.0\.113\.7 {2}until /m);
  },

  async 'respond:unblock'(_, end) {
    await end('respond:block', ['2001:db8::7', ...why]);
    expect(await end('respond:unblock', ['2001:DB8::9', ...why])).toEqual({
      code: 0,
      output: 'answers 2001:db8:0:0::/64 again\n',
    });
    expect((await end('respond:unblock', ['2001:db8::7', ...why])).output).toMatch(/^nothing to do: /);
  },

  async 'respond:lockdown'(_, end) {
    expect((await end('respond:lockdown', why)).output).toMatch(/^nothing is written until /);
    expect((await end('respond:status')).output).toMatch(/^lockdown {2}until /m);
    await end('respond:reopen', why);
  },

  async 'respond:reopen'(_, end) {
    await end('respond:lockdown', why);
    expect(await end('respond:reopen', why)).toEqual({ code: 0, output: 'the service writes again\n' });
    expect((await end('respond:reopen', why)).output).toBe('nothing to do: there is no lockdown\n');
  },
};
