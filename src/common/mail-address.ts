// White space, control characters and the delimiters of address lists have no place in one address.
const plain = /^[^\s\p{Cc}<>()[\]\\,;:"@]+@[^\s\p{Cc}<>()[\]\\,;:"@]+$/u;

/**
 * True for one e-mail address and nothing beside it: a line break would begin a header or an SMTP command of somebody
 * else's choice, a comma a second recipient (ASVS v5.0.0-1.3.11).
 */
export const isPlainAddress = (text: string): boolean => plain.test(text);

/** Providers that ignore dots in front of the @, each with the names of its domain, the one that is counted first. */
const ignoringDots: readonly (readonly string[])[] = [['gmail.com', 'googlemail.com']];

/**
 * The mailbox that mail to the address ends up in, so that one mailbox is counted once (abuse cases A6-1, A6-2):
 * without `+...`, which most providers ignore, and without dots where the provider ignores them. For counting, never
 * for mail.
 */
export function mailboxOf(email: string): string {
  const [, local = '', domain = ''] = /^([^@]*)@(.*)$/.exec(email) ?? [];
  if (domain === '') return email;
  const name = local.replace(/(?<=.)\+.*$/, '');
  const names = ignoringDots.find((domains) => domains.includes(domain));
  return names === undefined ? `${name}@${domain}` : `${name.replaceAll('.', '')}@${names[0]}`;
}
