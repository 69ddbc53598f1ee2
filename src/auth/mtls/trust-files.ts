import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { SecurityEvents } from '../../common/events/security-events.js';
import { FileChanges } from '../../common/file-changes.js';
import { CONFIG, type Config } from '../../config/index.js';
import { mtlsSettings } from './mtls.settings.js';
import { Trust } from './trust.js';

const hourMs = 60 * 60 * 1000;
/** CAs replace a list well before it runs out. */
const alertHours = 12;

/** What the files say now: replaced ones count without a restart, for connections that are open too. */
@Injectable()
export class TrustFiles implements OnModuleInit, OnApplicationShutdown {
  /** Milliseconds between two looks at the files. */
  static interval = 5_000;
  private readonly logger = new Logger('Mtls');
  private readonly listeners: (() => void)[] = [];
  private trust?: Trust;
  private timer?: NodeJS.Timeout;
  private nextAlert = 0;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly events: SecurityEvents,
  ) {}

  get areConfigured(): boolean {
    return this.config.of(mtlsSettings).MTLS_CA_FILE !== undefined;
  }

  /** @throws Error before the modules are initialised, or when nothing is configured. */
  get current(): Trust {
    if (this.trust === undefined) throw new Error('the files of certificates are not read');
    return this.trust;
  }

  onReplaced(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** @throws ConfigurationError, which stops the boot. */
  async onModuleInit(): Promise<void> {
    const files = Object.values(this.config.of(mtlsSettings)).filter((file) => file !== undefined);
    const changes = new FileChanges(files);
    await changes.begin();
    this.trust = await Trust.load(this.config);
    if (this.trust === undefined) return;
    this.warnOfStaleness();
    this.timer = setInterval(() => void this.look(changes), TrustFiles.interval).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private async look(changes: FileChanges): Promise<void> {
    await changes.look(() => this.reload());
    this.warnOfStaleness();
  }

  private async reload(): Promise<void> {
    const before = this.trust;
    try {
      const now = await Trust.load(this.config);
      if (now === undefined || before === undefined) return;
      if (now.isOlderThan(before)) throw new Error('MTLS_CRL_FILE: a list is older than the one that is in use');
      this.trust = now;
      this.nextAlert = 0;
      this.logger.log('new files of machines, CAs and revocations are in use');
      for (const listener of this.listeners) listener();
    } catch (error) {
      // What was revoked stays revoked, and a list that is not replaced in time counts for nothing.
      this.logger.error({
        message: 'new files of machines, CAs or revocations cannot be used; the old ones stay',
        error,
      });
      this.report('new files of certificates refused');
    }
  }

  private warnOfStaleness(): void {
    const hours = Math.floor(((this.trust?.freshUntil ?? Infinity) - Date.now()) / hourMs);
    if (hours >= alertHours || Date.now() < this.nextAlert) return;
    this.nextAlert = Date.now() + hourMs;
    this.logger.error(`a list of MTLS_CRL_FILE runs out in ${hours} hours, and no certificate counts then: renew it`);
    this.report('revocation list runs out');
  }

  private report(reason: string): void {
    this.events.reportLater({ action: 'sys_error', outcome: 'failure', details: { reason } });
  }
}
