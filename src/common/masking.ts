import { unreadableText } from './unreadable.js';

/** `a***@example.org`: enough to recognise an address that one knows, not enough to learn it (ASVS v5.0.0-14.2.6). */
export function maskEmail(email: string): string {
  if (email === unreadableText) return email;
  const at = email.lastIndexOf('@');
  return at < 1 ? '***' : `${[...email][0]}***${email.slice(at)}`;
}

/** `+44*******61`: the first three and the last two characters. */
export function maskPhone(phone: string): string {
  if (phone === unreadableText) return phone;
  return phone.length < 8 ? '***' : `${phone.slice(0, 3)}${'*'.repeat(phone.length - 5)}${phone.slice(-2)}`;
}
