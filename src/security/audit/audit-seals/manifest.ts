import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, rename } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { UsageError } from '../../../cli/index.js';
import type { Stream } from './chain.js';

/** A place in a chain as text. */
export interface Place {
  readonly seq: number;
  /** base64 of 32 bytes. */
  readonly hash: string;
}

export interface Span {
  /** The last link before the file. */
  readonly from: Place;
  /** The last link that may be in it, when the export began. */
  readonly until: number;
  /** The last link in it, so far. */
  readonly to: Place;
  readonly done: boolean;
}

export const lengthOf = ({ from, to }: Span): number => to.seq - from.seq;

/** Beside the file: what is in it, and while it is made, how far it is. */
export interface Manifest {
  readonly version: 1;
  readonly format: string;
  /** Events of then and later are not in it. */
  readonly until: string | null;
  readonly spans: Readonly<Record<Stream, Span>>;
  /** Bytes of the file that are whole. */
  readonly bytes: number;
  readonly complete: boolean;
  readonly sha256?: string;
  /** The newest checkpoint of each stream, and what verifies it. */
  readonly checkpoints?: readonly string[];
  readonly verifierKeys?: readonly string[];
}

export const manifestFile = (out: string): string => `${out}.manifest.json`;

/** @throws UsageError for what is no manifest. */
export async function readManifest(file: string): Promise<Manifest | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    const manifest = JSON.parse(text) as Manifest;
    if (manifest.version === 1) return manifest;
  } catch {
    // Told below.
  }
  throw new UsageError(`${file} is no manifest of an export`);
}

/** Whole or not at all, also when the machine stops. */
export async function writeManifest(out: string, manifest: Manifest): Promise<void> {
  const file = manifestFile(out);
  const handle = await open(`${file}.new`, 'w', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(manifest, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
}

export async function sha256Of(file: string): Promise<string> {
  const digest = createHash('sha256');
  await pipeline(createReadStream(file), digest);
  return digest.digest('hex');
}
