/** A mail as it waits in the table: opened, and ready to leave. */
export interface WaitingMail {
  /** UUIDv7, in the order of queuing. */
  readonly id: string;
  readonly recipient: string;
  /** RFC 5322. */
  readonly content: string;
}

/** Takes mails out of the service. */
export abstract class MailTransport {
  /**
   * Resolves when somebody else is answerable for the mail.
   * @throws MailTransportError
   */
  abstract deliver(mail: WaitingMail, signal: AbortSignal): Promise<void>;
}

/**
 * What went wrong, as codes only: a server may repeat the message, with the token in it, in its answer (abuse case
 * A10-4).
 */
export class MailTransportError extends Error {
  constructor(
    readonly code: string,
    /** The server said that it will never take this mail (RFC 5321 s4.2.1). */
    readonly permanent = false,
  ) {
    super(`the mail server did not take a mail: ${code}`);
  }
}
