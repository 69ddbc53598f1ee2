import { ExposedText } from '../../common/exposed-credentials.js';

/** Also what nobody here can revoke, or what another service issued: whoever sends that in clear has to be told. */
const credentialField = /^(?:proxy-)?authorization|^cookie|^x-api-key|^dpop/im;
const credentialName = /(?:password|secret|api_?key|(?:access|refresh|id|device)_?token|token|code)["']?\s*[=:]/i;

/**
 * The received bytes, read as each layer may read them: as they are, in one piece where a chunked body was cut, percent-encoded once and
 * twice, with the escapes of JSON, and what base64 hides (`Authorization: Basic`, the client data of a passkey). Not inflated.
 */
export function readExposed(bytes: Buffer): { text: ExposedText; namesCredential: boolean } {
  const raw = bytes.toString('latin1');
  const views = new Set<string>();
  for (const text of [raw, raw.replace(/\r\n[0-9a-f]{1,8}(?:;[^\r\n]{0,256})?\r\n/gi, '')]) addViews(views, text);
  addViews(views, insideBase64(views));
  const namesCredential = credentialField.test(raw) || [...views].some((view) => credentialName.test(view));
  return { text: new ExposedText([...views]), namesCredential };
}

function addViews(views: Set<string>, text: string): void {
  const unescaped = text
    .replace(/\\u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll('\\/', '/');
  for (const view of [text, unescaped, decodePercent(text), decodePercent(decodePercent(text)), decodePercent(unescaped)]) views.add(view);
}

const decodePercent = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

const insideBase64 = (views: ReadonlySet<string>): string =>
  [...new Set([...views].flatMap((view) => view.match(/[\w+/-]{24,}/g) ?? []))]
    .map((text) => Buffer.from(text, 'base64').toString('latin1'))
    .join('\n');
