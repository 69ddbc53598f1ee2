/**
 * The parts as one unambiguous byte string: each part's length in bytes (32 bits, big endian) before its UTF-8 bytes.
 * Plain joining would let `ab|c` and `a|bc` share a MAC (NIST SP 800-185 s2.3 has the same construction).
 */
export function lengthPrefixed(parts: readonly (string | Buffer)[]): Buffer {
  let size = 0;
  for (const part of parts) size += 4 + Buffer.byteLength(part);
  const bytes = Buffer.allocUnsafe(size);
  let offset = 0;
  for (const part of parts) {
    const length = typeof part === 'string' ? bytes.write(part, offset + 4, 'utf8') : part.copy(bytes, offset + 4);
    bytes.writeUInt32BE(length, offset);
    offset += 4 + length;
  }
  return bytes;
}
