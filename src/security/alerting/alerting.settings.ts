import { webhookKey } from '../../common/standard-webhooks.js';
import { declareSettings, faultsAmong, listOf, mailAddress } from '../../config/index.js';

const group = 'Alerting (practice 10.3)';

/** Where a webhook goes. What else may be asked, and which addresses, the egress settings say. */
function httpsUrl(text: string): string {
  const { protocol, username, password, hash } = URL.canParse(text) ? new URL(text) : {};
  if (protocol === 'https:' && `${username}${password}${hash}` === '') return text;
  throw new Error('set a URL that begins with https://, without user, password and fragment');
}

function oneOrTwo(text: string): readonly Buffer[] {
  const keys = listOf(webhookKey)(text);
  if (keys.length === 1 || keys.length === 2) return keys;
  throw new Error('set one secret, or two while you change it');
}

export const alertingSettings = declareSettings(
  {
    ALERT_EMAIL: {
      group,
      description: 'Who is told of alerts, one plain address. Not set: no mail.',
      example: 'security@example.org',
      parse: mailAddress,
    },
    ALERT_WEBHOOK_URL: {
      group,
      description:
        'Where alerts are posted, signed (Standard Webhooks). A host of the own network is named in ' +
        'EGRESS_ALLOW_PRIVATE_HOSTS. Not set: none is.',
      example: 'https://alerts.example.org/hooks/nst',
      parse: httpsUrl,
    },
    ALERT_WEBHOOK_SECRET: {
      group,
      description:
        'What webhooks are signed with: whsec_ and 24 to 64 random bytes in base64. Two, separated by a comma, while ' +
        'the receiver changes from one to the other.',
      example: 'whsec_<base64 of 32 random bytes>',
      parse: oneOrTwo,
    },
  },
  ({ ALERT_WEBHOOK_URL, ALERT_WEBHOOK_SECRET }) =>
    faultsAmong([
      [
        ALERT_WEBHOOK_URL !== undefined && ALERT_WEBHOOK_SECRET === undefined,
        'ALERT_WEBHOOK_SECRET: set it too: a webhook that is not signed is an invitation to forge one',
      ],
      [
        ALERT_WEBHOOK_URL === undefined && ALERT_WEBHOOK_SECRET !== undefined,
        'ALERT_WEBHOOK_URL: set it too, or take ALERT_WEBHOOK_SECRET away',
      ],
    ]),
);
