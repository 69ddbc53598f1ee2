import { randomUUIDv7 } from 'node:crypto';
import { ClientRepository } from '../../../src/auth/clients/client.repository.js';
import type { LeaveTraces } from '../../support/every-trace.js';
import { newKey } from './registered-client.js';

export const leaveTraces: LeaveTraces = async (app, { userId }) => {
  const clients = app.on(0).service.app.get(ClientRepository, { strict: false });
  const { id } = await clients.create({
    id: randomUUIDv7(),
    ownerId: userId,
    name: 'Analyser',
    keys: JSON.stringify({ keys: [newKey().jwk] }),
    scopes: ['resource:read'],
    tier: 'standard',
    certificate: null,
    requiresDpop: false,
    status: 'active',
    version: 1,
  });
  await clients.spend(id, 'once', new Date(Date.now() + 60_000));
};
