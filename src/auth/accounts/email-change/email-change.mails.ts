import type { MailText } from '../../../mail/index.js';

// No mail repeats the other address: whoever reads one mailbox need not learn the other.

const confirmation = (subject: string, token: string, [intro, outro]: readonly [string, string]): MailText => {
  return (publicUrl) => ({
    subject,
    body: [
      intro.replace('<service>', publicUrl),
      { code: token },
      { code: `POST ${publicUrl}/v1/auth/email/confirm\n{ "token": "<the token>" }` },
      outro,
    ],
  });
};

export const tokenForOld = (token: string): MailText =>
  confirmation('Confirm that your address changes', token, [
    'Somebody who is signed in to your account at <service>, probably you, wants to give it another address. ' +
      'To agree, send this token within 2 hours:',
    'The other address has to agree too. If it was not you, do not send it, and change your password: ' +
      'somebody else may know it.',
  ]);

export const tokenForNew = (token: string): MailText =>
  confirmation('Confirm your new address', token, [
    'Somebody, probably you, wants to use this address for an account at <service>. To agree, ' +
      'send this token within 2 hours:',
    'The present address has to agree too. If it was not you, do nothing.',
  ]);

/** Instead of the token: no answer tells that the address has an account, but its owner may know. */
export const addressTaken: MailText = (publicUrl) => ({
  subject: 'This address has an account already',
  body: [
    `Somebody wanted to use this address for another account at ${publicUrl}. It has an account there already, so ` +
      'nothing is going to change.',
    'If it was you: an address belongs to one account. Sign in to the one that has it, or choose another address.',
  ],
});

export const notChanged: MailText = (publicUrl) => ({
  subject: 'Your address was not changed',
  body: [
    `The address of your account at ${publicUrl} was not changed: the new address could not be used. ` +
      'Everything is as it was.',
  ],
});

/** To the address that the account had (ASVS v5.0.0-6.3.7); the new one is told by a notice. */
export const changed: MailText = (publicUrl) => ({
  subject: 'Your e-mail address was changed',
  body: [
    `The e-mail address of your account at ${publicUrl} was changed, and all sessions were ended. Both addresses had ` +
      'agreed. This one opens the account no more.',
    `If it was not you, tell the operator of ${publicUrl} at once.`,
  ],
});
