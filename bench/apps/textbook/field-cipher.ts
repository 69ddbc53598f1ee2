import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

/** Field encryption as it is written by hand: one raw key for all, a call per cell. */
export class FieldCipher {
  private readonly key = randomBytes(32);
  private readonly macKey = randomBytes(32);

  encrypt(text: string): string {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.key, iv);
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return [iv, cipher.getAuthTag(), body].map((part) => part.toString('base64')).join('.');
  }

  decrypt(cell: string): string {
    const [iv, tag, body] = cell.split('.').map((part) => Buffer.from(part, 'base64')) as [Buffer, Buffer, Buffer];
    const decipher = createDecipheriv('aes-256-gcm', this.key, iv);
    decipher.setAuthTag(tag);
    return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
  }

  mac(text: string): string {
    return createHmac('sha256', this.macKey).update(text).digest('base64url');
  }
}
