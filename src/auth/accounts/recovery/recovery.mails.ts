import type { MailText } from '../../../mail/index.js';

/** The token stands in a body, not in a link: query strings end up in logs and histories (ASVS v5.0.0-14.2.1). */
export const resetToken =
  (token: string): MailText =>
  (publicUrl) => ({
    subject: 'Set a new password',
    body: [
      `Somebody, probably you, forgot the password of this address at ${publicUrl}. To set a new one, ` +
        'send it with this token within 15 minutes:',
      { code: token },
      {
        code:
          `POST ${publicUrl}/v1/auth/password/reset\n` +
          '{ "token": "<the token>", "password": "<at least 15 characters>" }',
      },
      'You will be signed out everywhere. Only the newest of these mails counts. If it was not you, do nothing: your ' +
        'password stays.',
    ],
  });

/** Sent all the same: no answer, and no time that one takes, may tell who has an account (ASVS v5.0.0-6.3.8). */
export const noAccount: MailText = (publicUrl) => ({
  subject: 'You have no account',
  body: [
    `Somebody, probably you, forgot a password at ${publicUrl}. This address has no account there that could be ` +
      'signed in to. Perhaps you used another address; or register:',
    { code: `POST ${publicUrl}/v1/auth/register\n{ "email": "<this address>" }` },
    'If it was not you, do nothing: whoever asked was not told that there is no account.',
  ],
});
