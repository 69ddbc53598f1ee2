import { declareSettingsFamily, listOf } from '../config/index.js';

export const webhookSettings = declareSettingsFamily({
  prefix: 'WEBHOOK',
  example: 'PAYMENTS',
  variables: {
    SECRET: {
      group: 'Webhooks of others',
      description:
        'What a sender signs its webhooks with. In the place of PAYMENTS stands the name in `defineWebhook()`. Two, ' +
        'separated by a comma, while the sender changes from one to the other. Not set: its route answers 404.',
      example: 'whsec_<base64 of 32 random bytes>',
      parse: oneOrTwo,
    },
  },
});

/** Their form is the business of the scheme. */
function oneOrTwo(text: string): readonly string[] {
  const secrets = listOf((one) => one)(text);
  if (secrets.length === 1 || secrets.length === 2) return secrets;
  throw new Error('set one secret, or two while you change it');
}
