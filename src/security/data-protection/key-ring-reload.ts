import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { KeyRing } from '@nestjs-secure-template/field-encryption';

/** So long a running service may not know of a changed key ring, with a margin; rotation waits for it. */
export const ringKnownMs = 4_000;
const pollMs = 1_000;

/**
 * Lets a running service learn of a rotated key ring. Asked by time, not by events of the file system: those do not
 * come through network mounts and from mounted secrets. An unsound file is logged once, and the keys stay.
 */
@Injectable()
export class KeyRingReload implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('KeyRing');
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly keyRing: KeyRing) {}

  onModuleInit(): void {
    this.timer = setInterval(() => void this.look(), pollMs).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    try {
      if (await this.keyRing.reload()) this.logger.warn('the key ring has changed: its new keys hold from now on');
    } catch (error) {
      this.logger.error('the changed key ring is not accepted, the keys stay as they were', error);
    }
  }
}
