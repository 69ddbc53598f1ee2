import { Injectable, type OnModuleInit } from '@nestjs/common';
import { MetricFamilies, type MetricFamily } from '../../common/events/metric-families.js';
import { InternalPages } from '../../common/http/internal-pages.js';
import type { MetricValueWithName } from 'prom-client';
import { OwnRegistry } from './own-registry.js';

/** `GET /metrics`, for a Prometheus on the internal network alone (ASVS v5.0.0-13.4.5). */
@Injectable()
export class MetricsPage implements OnModuleInit {
  constructor(
    private readonly registry: OwnRegistry,
    private readonly pages: InternalPages,
    private readonly families: MetricFamilies,
  ) {}

  onModuleInit(): void {
    this.families.from(() => this.readFamilies());
    this.pages.add('/metrics', async () => {
      const all = await this.registry.read();
      return { status: 200, contentType: all.contentType, body: await all.metrics() };
    });
  }

  private async readFamilies(): Promise<MetricFamily[]> {
    const metrics = await (await this.registry.read()).getMetricsAsJSON();
    return metrics.map(({ name, help, type, values }) => ({
      name,
      help,
      type: type as unknown as MetricFamily['type'],
      samples: (values as MetricValueWithName<string>[]).map(({ metricName, labels, value }) => ({
        name: metricName ?? name,
        labels: labels as MetricFamily['samples'][number]['labels'],
        value,
      })),
    }));
  }
}
