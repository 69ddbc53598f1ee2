import { describe, expect, it } from 'vitest';
import { deviceLabel } from '../../../src/auth/sessions/device-label.js';
import { coarseNetworkOf } from '../../../src/common/http/network.js';
import { timing } from '../../support/timing.js';

const webKit = 'AppleWebKit/537.36 (KHTML, like Gecko)';

describe('the label of a device is a word of ours, never what the client sent', () => {
  it.each([
    ['Firefox on Linux', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
    ['Firefox on Android', 'Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0'],
    [
      'Firefox on iPhone',
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) ' +
        'FxiOS/140.0 Mobile/15E148 Safari/605.1.15',
    ],
    ['Chrome on Windows', `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webKit} Chrome/140.0.0.0 Safari/537.36`],
    ['Chrome on Android', `Mozilla/5.0 (Linux; Android 10; K) ${webKit} Chrome/140.0.0.0 Mobile Safari/537.36`],
    ['Chrome on ChromeOS', `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${webKit} Chrome/140.0.0.0 Safari/537.36`],
    [
      'Chrome on iPad',
      'Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) ' +
        'CriOS/140.0.0.0 Mobile/15E148 Safari/604.1',
    ],
    [
      'Edge on Windows',
      `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webKit} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0`,
    ],
    [
      'Opera on macOS',
      `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${webKit} Chrome/140.0.0.0 Safari/537.36 OPR/120.0.0.0`,
    ],
    [
      'Samsung Internet on Android',
      `Mozilla/5.0 (Linux; Android 10; K) ${webKit} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36`,
    ],
    [
      'Safari on macOS',
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) ' +
        'Version/18.5 Safari/605.1.15',
    ],
    [
      'Safari on iPhone',
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) ' +
        'Version/18.5 Mobile/15E148 Safari/604.1',
    ],
    ['Unknown program on Linux', 'Mozilla/5.0 (X11; Linux x86_64) Strange/1.0'],
    ['curl', 'curl/8.14.1'],
    ['Unknown device', 'okhttp/5.0.0'],
    ['Unknown device', ''],
    ['Unknown device', '<script>alert(1)</script>\u202e enc:v1:x'],
    ['Unknown device', `${' '.repeat(600)}Firefox/140.0`],
  ])('%s', (label, userAgent) => expect(deviceLabel(userAgent)).toBe(label));

  it('sends none: unknown', () => expect(deviceLabel(undefined)).toBe('Unknown device'));

  it('sends one that would stop a careless pattern: answered at once', timing, () => {
    const startedAt = performance.now();
    for (const text of ['Version/', 'Version/1 Mobile/', 'Edg', 'Windows NT '].map((part) => part.repeat(2000)))
      deviceLabel(text);
    expect(performance.now() - startedAt).toBeLessThan(200);
  });
});

describe('the place of a session names a region and no household', () => {
  it.each([
    ['203.0.113.77', '203.0.113.0/24'],
    ['::ffff:203.0.113.77', '203.0.113.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
    ['2001:0DB8:0001::1', '2001:db8:1::/48'],
    ['2001:db8::', '2001:db8:0::/48'],
    ['::1', '0:0:0::/48'],
    ['unknown', null],
    ['', null],
    ['203.0.113', null],
  ])('%s -> %s', (address, place) => expect(coarseNetworkOf(address)).toBe(place));
});
