import { X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { Server } from 'node:tls';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { SecurityEvents } from '../../common/security-events.js';
import { CONFIG, type Config } from '../../config/index.js';
import { loadTls, tlsOptions, type TlsFiles } from './tls.js';

const dayMilliseconds = 24 * 60 * 60 * 1000;
const alertDays = 14;

/**
 * Serves a renewed certificate without a restart (practice 1.2). It asks for the files' state instead of waiting for
 * events, which get lost on network volumes and when Kubernetes swaps a symbolic link.
 */
@Injectable()
export class CertificateReload implements OnApplicationBootstrap, OnApplicationShutdown {
  /** Milliseconds between two looks at the files. */
  static interval = 5_000;
  private readonly logger = new Logger('Transport');
  private timer?: NodeJS.Timeout;
  private served = '';
  private seen = '';
  private nextExpiryCheck = 0;

  constructor(
    private readonly host: HttpAdapterHost,
    @Inject(CONFIG) private readonly config: Config,
    private readonly events: SecurityEvents,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const files = await loadTls(this.config);
    this.served = await stateOf(files);
    this.timer = setInterval(() => void this.look(files), CertificateReload.interval).unref();
    this.watchExpiry(files.cert);
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private async look(files: TlsFiles): Promise<void> {
    const state = await stateOf(files);
    const settled = state === this.seen;
    this.seen = state;
    // Whoever copies two files needs a moment: wait until nothing changes any more.
    if (settled && state !== this.served) await this.reload(state);
    else if (Date.now() >= this.nextExpiryCheck) this.watchExpiry(files.cert);
  }

  /** Connections that are open keep their session; new ones get the new certificate. */
  private async reload(state: string): Promise<void> {
    this.served = state;
    try {
      const files = await loadTls(this.config);
      (this.host.httpAdapter.getHttpServer() as Server).setSecureContext(tlsOptions(files));
      this.logger.log('a new certificate is served');
      this.watchExpiry(files.cert);
    } catch (error) {
      // A service with the old certificate is better than none.
      this.logger.error({ message: 'the new certificate cannot be used; the old one stays', error });
      this.report('new certificate refused', 0);
    }
  }

  private watchExpiry(cert: string): void {
    this.nextExpiryCheck = Date.now() + dayMilliseconds;
    const days = Math.floor((new X509Certificate(cert).validToDate.getTime() - Date.now()) / dayMilliseconds);
    if (days >= alertDays) return;
    this.logger.error(`the TLS certificate expires in ${days} days: renew it`);
    this.report('certificate expires', days);
  }

  private report(reason: string, days: number): void {
    this.events.report({ action: 'sys_error', outcome: 'failure', details: { reason, days } });
  }
}

async function stateOf(files: TlsFiles): Promise<string> {
  const states = [files.certificateFile, files.keyFile].map((file) =>
    stat(file).then(
      ({ mtimeMs, size, ino }) => `${mtimeMs}/${size}/${ino}`,
      () => 'gone',
    ),
  );
  return (await Promise.all(states)).join(' ');
}
