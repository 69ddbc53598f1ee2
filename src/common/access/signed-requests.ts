import type { IncomingMessage } from 'node:http';

const senders = new WeakMap<IncomingMessage, string>();

/**
 * To be called by whoever has verified the signature over all bytes of the request, before they are parsed.
 * @public: every user of it can be removed.
 */
export const noteSender = (request: IncomingMessage, sender: string): void => void senders.set(request, sender);

/** Who has signed the request, as far as somebody has verified it. */
export const senderOf = (request: IncomingMessage): string | undefined => senders.get(request);
