import type { MailText } from '../../../mail/index.js';

// Nothing that the stranger typed is repeated, or the service would deliver other people's messages.

/** The token stands in a body, not in a link: query strings end up in logs and histories (ASVS v5.0.0-14.2.1). */
export const signUpToken =
  (token: string): MailText =>
  (publicUrl) => ({
    subject: 'Finish your registration',
    body: [
      `Somebody, probably you, registered this address at ${publicUrl}. To finish, ` +
        'choose a password and a name, and send them with this token within 30 minutes:',
      { code: token },
      {
        code:
          `POST ${publicUrl}/v1/auth/email/verify\n` +
          '{ "token": "<the token>", "password": "<at least 15 characters>", "name": "<your name>" }',
      },
      'If it was not you, do nothing: without the token no account is made.',
    ],
  });

export const accountExists: MailText = (publicUrl) => ({
  subject: 'You already have an account',
  body: [
    `Somebody, probably you, registered this address at ${publicUrl}. It already has an account there, ` +
      'so nothing was changed. To sign in, send your password:',
    { code: `POST ${publicUrl}/v1/auth/login\n{ "email": "<this address>", "password": "<your password>" }` },
    'If it was not you, do nothing: whoever asked was not told that the account exists.',
  ],
});

export const nothingOpen: MailText = (publicUrl) => ({
  subject: 'No registration is open',
  body: [
    `Somebody, probably you, asked for the mail of a registration at ${publicUrl} again, but none is open for this ` +
      'address. Begin anew:',
    { code: `POST ${publicUrl}/v1/auth/register\n{ "email": "<this address>" }` },
    'If it was not you, do nothing.',
  ],
});
