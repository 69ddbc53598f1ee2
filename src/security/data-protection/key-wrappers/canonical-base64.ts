/** The bytes; undefined for text that is not the one base64 form of any bytes: one wrapped key has one spelling. */
export function fromCanonicalBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length > 0 && bytes.toString('base64') === text ? bytes : undefined;
}
