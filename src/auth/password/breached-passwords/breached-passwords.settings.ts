import { declareSettings, httpsOrigin } from '../../../config/index.js';

export const breachedPasswordsSettings = declareSettings({
  BREACHED_PASSWORDS_URL: {
    group: 'Passwords (practice 4.5)',
    description:
      'Asks a list of breached passwords (range query of Have I Been Pwned): five digits of a hash leave. ' +
      'Not set: the offline list only.',
    example: 'https://api.pwnedpasswords.com',
    parse: httpsOrigin,
  },
});
