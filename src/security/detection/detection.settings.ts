import { declareSettings, mailAddress } from '../../config/index.js';

export const detectionSettings = declareSettings({
  ALERT_EMAIL: {
    group: 'Mail',
    description: 'Who is told of alarms, one plain address. Not set: alarms are in the log and the audit trail only.',
    example: 'security@example.org',
    parse: mailAddress,
  },
});
