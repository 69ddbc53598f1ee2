import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removeOldDrafts, writeWholeFile } from '../../common/whole-files.js';
import type { Config } from '../../config/index.js';

const renewDays = 30;

/** Where the development certificates are. */
export interface DevelopmentFiles {
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/**
 * A CA and a certificate for localhost under `<dataDirectory>/tls`: made when missing, renewed when less than 30 days
 * remain. The library behind it is loaded only then, so that a usual start does not pay for it. Not for production.
 */
export async function developmentCertificates(config: Pick<Config, 'dataDirectory'>): Promise<DevelopmentFiles> {
  const directory = join(config.dataDirectory, 'tls');
  const caKeyFile = join(directory, 'ca.key');
  const caFile = join(directory, 'ca.crt');
  const certificateFile = join(directory, 'server.crt');
  const keyFile = join(directory, 'server.key');
  const caIsFresh = await isFresh(caFile);
  if (caIsFresh && (await isFresh(certificateFile)) && (await fit({ caFile, certificateFile, keyFile })))
    return { caFile, certificateFile, keyFile };
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const file of [caFile, caKeyFile, certificateFile, keyFile]) await removeOldDrafts(file);
  const { createCa, issueLeaf } = await import('./development-ca.js');
  const reuse = caIsFresh && (await fit({ caFile, certificateFile: caFile, keyFile: caKeyFile }));
  const ca = reuse ? await readPair(caFile, caKeyFile) : await createCa();
  if (!reuse) await writePair(ca, caFile, caKeyFile);
  await writePair(await issueLeaf(ca), certificateFile, keyFile);
  return { caFile, certificateFile, keyFile };
}

async function isFresh(file: string): Promise<boolean> {
  try {
    const { validToDate } = new X509Certificate(await readFile(file));
    return validToDate.getTime() - Date.now() > renewDays * 24 * 60 * 60 * 1000;
  } catch {
    return false;
  }
}

/** A start that was killed between two files may have left a certificate of an older CA, or one without its key. */
async function fit({ caFile, certificateFile, keyFile }: DevelopmentFiles): Promise<boolean> {
  try {
    const certificate = new X509Certificate(await readFile(certificateFile));
    const ca = new X509Certificate(await readFile(caFile));
    return certificate.verify(ca.publicKey) && certificate.checkPrivateKey(createPrivateKey(await readFile(keyFile)));
  } catch {
    return false;
  }
}

async function readPair(certificateFile: string, keyFile: string) {
  return { cert: await readFile(certificateFile, 'utf8'), key: await readFile(keyFile, 'utf8') };
}

/**
 * The old key goes first and the new one comes last: a process that dies in between leaves a pair that is made again.
 */
async function writePair(pair: { cert: string; key: string }, certificateFile: string, keyFile: string): Promise<void> {
  await rm(keyFile, { force: true });
  await writeWholeFile(certificateFile, pair.cert);
  await writeWholeFile(keyFile, pair.key);
}
