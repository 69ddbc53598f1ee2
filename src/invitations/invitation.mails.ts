import type { MailText } from '../mail/index.js';
import { invitationLimits } from './invitation.limits.js';

const days = invitationLimits.ttlMs / (24 * 60 * 60 * 1000);

/**
 * One fixed text. Nothing that the sender wrote, neither title nor name, is in it: the service would deliver other
 * people's messages to whomever they like (abuse case A6-2, ASVS v5.0.0-1.3.7). The host comes from the configuration,
 * never from a request.
 */
export const invitationMail =
  (optOutToken: string): MailText =>
  (publicUrl) => ({
    subject: 'Somebody wants to share something with you',
    body: [
      `Somebody at ${publicUrl} wants to share something with this address. To accept within ${days} days, ` +
        'sign in there with this address, or sign up with it, and send:',
      { code: `GET ${publicUrl}/v1/invitations\nPOST ${publicUrl}/v1/invitations/<id>/accept` },
      'If you do nothing, nothing is shared. To get no more invitations here, from anybody, send this token:',
      { code: optOutToken },
      { code: `POST ${publicUrl}/v1/invitations/opt-out\n{ "token": "<the token>" }` },
    ],
  });
