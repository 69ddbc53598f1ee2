import type { Format } from './record.js';

/** Every column, so that whoever has the key ring can check MAC and link of the file. */
export const jsonl: Format = ({ stream, seq, hash, event }) => {
  const { id, at, action, outcome, actorId, sessionId, actorKind, machineId } = event;
  const { targetType, targetId, requestId, network, details, macKeyId, mac } = event;
  const who = { actorId, sessionId, actorKind, machineId };
  const about = { targetType, targetId, requestId, network, details };
  return JSON.stringify({
    stream, seq, hash: hash.toString('base64'),
    event: { id, at: at.toISOString(), action, outcome, ...who, ...about, macKeyId, mac },
  }); // prettier-ignore
};
