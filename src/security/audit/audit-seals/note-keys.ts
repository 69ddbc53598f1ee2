import { createPrivateKey, createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { KeyRing } from '@nestjs-secure-template/field-encryption';
import type { Purpose } from '../../../common/macs.js';
import { CONFIG, type Config } from '../../../config/index.js';
import type { Stream } from './chain.js';
import { bodyOf, noteText, parseNote, type Note, type NoteKind, type SignedNote } from './note.js';

const purpose: Purpose = 'audit-checkpoint';

/** RFC 8410 s7: what stands before the 32 bytes of an Ed25519 key in PKCS #8. */
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex');
/** C2SP signed-note: Ed25519. */
const algorithm = Buffer.from([1]);

interface Pair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** 32 bytes. */
  readonly publicBytes: Buffer;
}

/** Signs what is said about the chain with keys of the ring, of a purpose of their own: each is the seed of a pair. */
@Injectable()
export class NoteKeys {
  /** Made once per key: the ring's objects last as long as its file. */
  private readonly pairs = new WeakMap<KeyObject, Pair>();
  private readonly host: string;

  constructor(
    private readonly keyRing: KeyRing,
    @Inject(CONFIG) config: Config,
  ) {
    this.host = new URL(config.publicUrl).host;
  }

  /** @returns the id of the key in the ring, and the note. */
  sign(note: Note): { readonly keyId: string; readonly note: string } {
    const { id, key } = this.keyRing.active(purpose);
    const pair = this.pairOf(key);
    const body = bodyOf(this.host, note);
    const signature = sign(null, Buffer.from(body), pair.privateKey);
    return { keyId: id, note: noteText(body, this.keyName, Buffer.concat([tagOf(this.keyName, pair), signature])) };
  }

  /** The note, if a key of the ring has signed it and it is of that kind; else undefined. */
  open(text: string, kind: NoteKind): SignedNote | undefined {
    const note = parseNote(text);
    if (note?.kind !== kind) return undefined;
    const tag = note.signature.subarray(0, 4);
    const isSigned = this.keyRing.all(purpose).some(({ key }) => {
      const pair = this.pairOf(key);
      return (
        tagOf(note.keyName, pair).equals(tag) &&
        verify(null, Buffer.from(note.body), pair.publicKey, note.signature.subarray(4))
      );
    });
    return isSigned ? note : undefined;
  }

  /** The same for a row: the note must be of its stream and place, or an old one could stand anywhere. */
  openRow(row: { readonly seq: number | bigint; readonly note: string }, kind: NoteKind, stream: Stream) {
    const note = this.open(row.note, kind);
    return note?.stream === stream && note.seq === Number(row.seq) ? note : undefined;
  }

  /** What others verify with, one line a key: the form of C2SP signed-note. */
  verifierKeys(): string[] {
    return this.keyRing.all(purpose).map(({ key }) => {
      const pair = this.pairOf(key);
      const text = Buffer.concat([algorithm, pair.publicBytes]).toString('base64');
      return `${this.keyName}+${tagOf(this.keyName, pair).toString('hex')}+${text}`;
    });
  }

  private get keyName(): string {
    return `${this.host}/audit`;
  }

  private pairOf(key: KeyObject): Pair {
    const known = this.pairs.get(key);
    if (known !== undefined) return known;
    const privateKey = createPrivateKey({
      key: Buffer.concat([pkcs8Head, key.export()]),
      format: 'der',
      type: 'pkcs8',
    });
    const publicKey = createPublicKey(privateKey);
    const publicBytes = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
    const pair = { privateKey, publicKey, publicBytes };
    this.pairs.set(key, pair);
    return pair;
  }
}

/** C2SP signed-note: the first four bytes of SHA-256 over name, newline, algorithm and public key. */
const tagOf = (name: string, { publicBytes }: Pair): Buffer =>
  hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), algorithm, publicBytes]), 'buffer').subarray(0, 4);
