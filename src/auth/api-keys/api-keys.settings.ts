import { declareSettings, whole, type Config } from '../../config/index.js';
import { KeyFormat } from './key-format.js';

const group = 'API keys (practice 2.2)';

const word = (text: string): string => {
  if (!/^[a-z][a-z0-9]{1,15}$/.test(text)) throw new Error('set 2 to 16 small letters and digits, a letter first');
  return text;
};

export const apiKeySettings = declareSettings({
  API_KEY_APP: {
    group,
    description:
      'The first word of every API key: tells scanners whose it is. Changed, the keys of before count no more.',
    example: 'acme',
    fallback: 'app',
    parse: word,
  },
  API_KEY_ENVIRONMENT: {
    group,
    description:
      'The second word. A key of another environment is refused without a look-up. Not set: live in production, test ' +
      'elsewhere.',
    example: 'staging',
    parse: word,
  },
  API_KEY_MAX_DAYS: {
    group,
    description: 'So long a key lives at most. There is none that does not expire.',
    example: '30',
    fallback: 90,
    parse: whole(1, 366),
  },
});

export function keyFormatOf(config: Config): KeyFormat {
  const { API_KEY_APP, API_KEY_ENVIRONMENT } = config.of(apiKeySettings);
  return new KeyFormat(API_KEY_APP, API_KEY_ENVIRONMENT ?? (config.production ? 'live' : 'test'));
}
