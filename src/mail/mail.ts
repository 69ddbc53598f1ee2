import { escapeHtml } from '../common/http/escape-html.js';

/** A paragraph, or text that people copy as it stands: a token, a request. */
export type Block = string | { readonly code: string };

/** What a mail says. It never holds a link with a token: mail clients and scanners open links by themselves. */
export interface MailContent {
  readonly subject: string;
  readonly body: readonly Block[];
}

/**
 * The text of a mail, as the feature has it that sends it.
 * @param publicUrl the address of the service, from the configuration: never from a request (abuse case A2-5).
 */
export type MailText = (publicUrl: string) => MailContent;

/** A mail to one recipient. */
export interface Mail extends MailContent {
  /** One address, without a display name. */
  readonly to: string;
}

/** For those who read plain text. */
export const textOf = ({ body }: Mail): string =>
  `${body.map((block) => (typeof block === 'string' ? block : block.code)).join('\n\n')}\n`;

/** Nothing in it loads or runs: no image that tells when it was read, no style sheet, no markup out of the texts. */
export function htmlOf({ subject, body }: Mail): string {
  const blocks = body.map((block) =>
    typeof block === 'string' ? `<p>${escapeHtml(block)}</p>` : `<pre>${escapeHtml(block.code)}</pre>`,
  );
  const title = escapeHtml(subject);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head>
<body><h1>${title}</h1>
${blocks.join('\n')}
</body></html>
`;
}
