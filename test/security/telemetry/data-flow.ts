import { expect, vi } from 'vitest';
import { Telemetry } from '../../../src/security/telemetry/telemetry.js';
import type { OpenDataFlow } from '../../support/data-flows.js';
import { Receiver } from './receiver.js';

export const openDataFlow: OpenDataFlow = async () => {
  const receiver = new Receiver();
  const endpoint = await receiver.start();
  const before = { ...Telemetry.intervals };
  Object.assign(Telemetry.intervals, { flush: 50, metrics: 200 });
  return {
    variable: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    port: Number(new URL(endpoint).port),
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
    async use({ app, person }) {
      const spans = receiver.spans.length;
      await app.request('GET', `/v1/users/me?email=${person.email}`, { token: person.token });
      await vi.waitFor(() => expect(receiver.spans.length).toBeGreaterThan(spans), 10_000);
      // With: metrics.
      await vi.waitFor(() => expect(receiver.metrics).not.toEqual([]), 10_000);
    },
    async close() {
      Object.assign(Telemetry.intervals, before);
      await receiver.stop();
    },
  };
};
