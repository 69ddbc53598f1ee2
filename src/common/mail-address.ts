// White space, control characters and the delimiters of address lists have no place in one address.
const plain = /^[^\s\p{Cc}<>()[\]\\,;:"@]+@[^\s\p{Cc}<>()[\]\\,;:"@]+$/u;

/**
 * True for one e-mail address and nothing beside it: a line break would begin a header or an SMTP command of somebody else's choice, a
 * comma a second recipient (ASVS v5.0.0-1.3.11).
 */
export const isPlainAddress = (text: string): boolean => plain.test(text);

/** The address without `+...`: with most providers all such addresses are one mailbox (abuse cases A6-1, A6-2). For counting, never for mail. */
export const mailboxOf = (email: string): string => email.replace(/^([^+@]+)\+[^@]*@/, '$1@');
