import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { SharedState } from '../../shared-state/index.js';
import { lookEveryMs } from './lifetimes.js';
import { signingKeysChanged } from './signing-key-rotation.js';
import { SigningKeys } from './signing-keys.js';

/** Keeps the keys of a running instance as the table has them: told by a message, and by looking, because messages get lost. */
@Injectable()
export class SigningKeyWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('SigningKeys');
  private timer: NodeJS.Timeout | undefined;
  private failed = false;
  private looking: Promise<void> = Promise.resolve();

  constructor(
    private readonly keys: SigningKeys,
    sharedState: SharedState,
  ) {
    sharedState.subscribe(signingKeysChanged, async () => {
      await this.look();
      if (this.failed) throw new Error('the signing keys could not be read');
    });
  }

  /** Without keys the service does not start. */
  async onApplicationBootstrap(): Promise<void> {
    await this.keys.reload();
    this.timer = setInterval(() => void this.look(), lookEveryMs).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  private look(): Promise<void> {
    this.looking = this.keys.reload().then(
      () => void (this.failed = false),
      (error: unknown) => {
        // Said once, not every two seconds.
        if (!this.failed) this.logger.error('the signing keys could not be read, and stay as they were; it is tried again', error);
        this.failed = true;
      },
    );
    return this.looking;
  }
}
