import { hostname } from 'node:os';
import type { RingLock } from '@nestjs-secure-template/field-encryption/maintenance';
import { holdsLock, releaseLock, takeLock } from '../../common/file-lock.js';

/** One command at a time changes the key ring, on all machines that share the file. */
export const ringLock: RingLock = {
  async take(path) {
    const other = await takeLock(path, { host: hostname() });
    return other && `process ${other.pid} on ${other.host ?? 'this machine'}`;
  },
  holds: holdsLock,
  release: releaseLock,
};
