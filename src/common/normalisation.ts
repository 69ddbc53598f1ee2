import { domainToASCII } from 'node:url';

// ICU reorders combining marks in quadratic time: 32,000 of them stop the service for seconds, before any rule about
// length is asked (abuse case A4-3). More than 30 in a row are in no language (UAX #15 section 13, Stream-Safe Text
// Format).
const tooManyMarks = /\p{M}{31}/u;

/** True for a text that is too costly to normalise, which therefore has to be refused. */
export const hasTooManyMarks = (text: string): boolean => tooManyMarks.test(text);

/** One form for texts that look the same (NFC, UAX #15). A text with too many marks stays as it is. */
export const normalise = (text: string): string => (hasTooManyMarks(text) ? text : text.normalize('NFC'));

const beyondAscii = /[^\p{ASCII}]/u;
const maxDomainLength = 253;

/**
 * The one spelling of an address: whoever looks one up, counts one or stores one uses this. The domain as DNS knows it:
 * mail servers map soft hyphens, circled letters and the like to it (UTS #46), so each would be another address here
 * and the same mailbox there (abuse case A6-2).
 */
export function normaliseEmail(text: string): string {
  const address = normalise(text).trim().toLowerCase();
  const at = address.lastIndexOf('@') + 1;
  const domain = address.slice(at);
  // With a percent sign it is no domain, and would be decoded to one.
  if (!beyondAscii.test(domain) || domain.includes('%') || domain.length > maxDomainLength) return address;
  // Empty for what is no domain: then it stays as it is, to be refused.
  return address.slice(0, at) + (domainToASCII(domain) || domain);
}
