import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { escapeHtml as escape } from '../common/http/escape-html.js';
import { InternalPages, type InternalPage } from '../common/http/internal-pages.js';
import { CONFIG, type Config } from '../config/index.js';
import { readMessage } from './message.js';
import { Outbox } from './outbox.js';

const path = '/mailbox';
const shown = 100;

/** Shows the outbox in a browser while developing. In production it does not exist: tokens stand in the messages. */
@Injectable()
export class MailboxPage implements OnModuleInit {
  constructor(
    private readonly outbox: Outbox,
    private readonly pages: InternalPages,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    if (!this.config.production) this.pages.add(path, (requested) => this.show(requested));
  }

  private async show(requested: string): Promise<InternalPage> {
    const id = requested.slice(path.length + 1);
    return id === '' ? this.list() : this.message(id);
  }

  private async list(): Promise<InternalPage> {
    const ids = await this.outbox.list(shown);
    const rows = ids.map(async (id) => {
      const { to, subject } = readMessage((await this.outbox.read(id)) ?? '');
      return `<li><a href="${path}/${escape(id)}">${escape(subject)}</a> to ${escape(to)}</li>`;
    });
    return page('Mailbox', ids.length === 0 ? '<p>No mail yet.</p>' : `<ol>${(await Promise.all(rows)).join('')}</ol>`);
  }

  private async message(id: string): Promise<InternalPage> {
    const message = await this.outbox.read(id);
    if (message === undefined) return page('No such message', `<p><a href="${path}">Mailbox</a></p>`, 404);
    const { to, subject, text } = readMessage(message);
    return page(subject, `<p>To ${escape(to)}</p><pre>${escape(text)}</pre><p><a href="${path}">Mailbox</a></p>`);
  }
}

// Nothing may load or run here, whatever a message contains (practice 3.3).
const page = (title: string, content: string, status = 200): InternalPage => ({
  status,
  contentType: 'text/html; charset=utf-8',
  body: `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'"><meta name="color-scheme" content="light dark">
<title>${escape(title)}</title></head><body><h1>${escape(title)}</h1>${content}</body></html>`,
});
