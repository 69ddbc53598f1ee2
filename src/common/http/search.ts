/**
 * The condition that a column contains the text, in any case of letters. The text is taken by its letters: `%`, `_` and
 * `\` are LIKE's own language, which Prisma passes on, and with which a caller makes the database work hard (ASVS
 * v5.0.0-1.2.4, abuse case A4-3).
 */
export const containing = (text: string) => ({
  contains: text.replace(/[\\%_]/g, String.raw`\$&`),
  mode: 'insensitive' as const,
});
