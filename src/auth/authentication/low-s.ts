/** The order of P-256 (FIPS 186-5, SP 800-186 s3.2.1.3). */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const half = order / 2n;
const numberBytes = 32;

const sOf = (signature: Buffer): bigint => BigInt(`0x${signature.toString('hex', numberBytes)}`);

/** Of the two spellings of an ES256 signature (r | s, 64 bytes), the one with the smaller s. */
export const isLowS = (signature: Buffer): boolean => signature.length === 2 * numberBytes && sOf(signature) <= half;

/** The token in the one spelling that is accepted: signers give either. */
export function withLowS(token: string): string {
  const dot = token.lastIndexOf('.');
  const signature = Buffer.from(token.slice(dot + 1), 'base64url');
  if (isLowS(signature)) return token;
  const s = (order - sOf(signature)).toString(16).padStart(2 * numberBytes, '0');
  const low = Buffer.concat([signature.subarray(0, numberBytes), Buffer.from(s, 'hex')]);
  return `${token.slice(0, dot)}.${low.toString('base64url')}`;
}
