import { X509Certificate } from 'node:crypto';
import type { Server } from 'node:tls';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { FileChanges } from '../../common/file-changes.js';
import { Measures } from '../../common/events/measures.js';
import { SecurityEvents } from '../../common/events/security-events.js';
import { CONFIG, type Config } from '../../config/index.js';
import { loadTls, tlsOptions } from './tls.js';

const dayMs = 24 * 60 * 60 * 1000;
/** Three times as long as a renewal that fails at its first attempts takes. */
const alertDays = 30;

/**
 * Serves a renewed certificate, and believes other CAs of clients, without a restart (practice 1.2).
 */
@Injectable()
export class CertificateReload implements OnApplicationBootstrap, OnApplicationShutdown {
  /** Milliseconds between two looks at the files. */
  static interval = 5_000;
  private readonly logger = new Logger('Transport');
  private timer?: NodeJS.Timeout;
  private served = '';
  private nextExpiryCheck = 0;

  constructor(
    private readonly host: HttpAdapterHost,
    @Inject(CONFIG) private readonly config: Config,
    private readonly events: SecurityEvents,
    measures: Measures,
  ) {
    measures.add({
      name: 'tls_certificate_left_seconds',
      help: 'Until the certificate that is served expires; negative when it has.',
      read: () => this.secondsLeft,
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    const files = await loadTls(this.config);
    const changes = new FileChanges([files.certificateFile, files.keyFile, ...files.clientAuthorityFiles]);
    await changes.begin();
    this.timer = setInterval(() => void this.look(changes), CertificateReload.interval).unref();
    this.watchExpiry(files.cert);
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Negative when it has expired. */
  private get secondsLeft(): number {
    return (new X509Certificate(this.served).validToDate.getTime() - Date.now()) / 1000;
  }

  private async look(changes: FileChanges): Promise<void> {
    await changes.look(() => this.reload());
    if (Date.now() >= this.nextExpiryCheck) this.watchExpiry(this.served);
  }

  /** Connections that are open keep their session; new ones get the new certificate. */
  private async reload(): Promise<void> {
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

  /** @param cert what is served from now on. */
  private watchExpiry(cert: string): void {
    this.served = cert;
    this.nextExpiryCheck = Date.now() + dayMs;
    const days = Math.floor((new X509Certificate(cert).validToDate.getTime() - Date.now()) / dayMs);
    if (days >= alertDays) return;
    this.logger.error(`the TLS certificate expires in ${days} days: renew it`);
    this.report('certificate expires', days);
  }

  private report(reason: string, days: number): void {
    this.events.reportLater({ action: 'sys_error', outcome: 'failure', details: { reason, days } });
  }
}
