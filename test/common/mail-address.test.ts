import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { isEmail } from 'class-validator';
import { isPlainAddress, mailboxOf } from '../../src/common/mail-address.js';

describe('one mailbox is counted once, however its address is written [A6-1] [A6-2] [ASVS 2.4.1]', () => {
  it.each([
    ['alice+1@example.org', 'alice@example.org'],
    ['alice+a+b@example.org', 'alice@example.org'],
    ['+alice@example.org', '+alice@example.org'],
    ['a.l.i.c.e@gmail.com', 'alice@gmail.com'],
    ['a.lice+shop@googlemail.com', 'alice@gmail.com'],
    // Elsewhere a dot makes another mailbox: counting both as one would let strangers use up each other's mails.
    ['a.lice@example.org', 'a.lice@example.org'],
    ['a.lice@gmail.com.example', 'a.lice@gmail.com.example'],
  ])('%s is the mailbox %s', (address, mailbox) => expect(mailboxOf(address)).toBe(mailbox));

  it('a mailbox is its own mailbox: counting twice changes nothing', () => {
    const isStable = fc.property(fc.emailAddress(), (address) => mailboxOf(mailboxOf(address)) === mailboxOf(address));
    expect(fc.check(isStable).counterexample).toBeNull();
  });
});

describe('an address that is taken is one that mail goes to [ASVS 1.3.11]', () => {
  it.each(['"alice"@example.org', '"a b"@example.org', '"a,b"@example.org', '"a@b"@example.org'])(
    '%s has a quoted local part: an address to the standard, none to us',
    (address) => {
      expect([isEmail(address), isPlainAddress(address)]).toEqual([true, false]);
    },
  );
});
