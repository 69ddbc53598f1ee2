import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { Measures, readMeasure, type Measure } from '../../common/events/measures.js';

let ofProcess: Registry | undefined;

/** CPU, memory, event loop: facts of the process, whose observers cannot be taken away again, so there is one. */
function processRegistry(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}

/** The metrics of this service alone: two services in one process do not count into each other. */
@Injectable()
export class OwnRegistry {
  readonly counted = new Registry();
  private readonly failures = new Counter({
    name: 'measure_failures_total',
    help: 'Readings of a measure that failed or took too long, and are left out.',
    labelNames: ['measure'],
    registers: [this.counted],
  });
  private reading: Promise<Registry> | undefined;

  constructor(private readonly measures: Measures) {}

  /** Everything that can be told now. Whoever asks meanwhile gets the same: asking often must not cost more. */
  read(): Promise<Registry> {
    this.reading ??= this.readAll().finally(() => (this.reading = undefined));
    return this.reading;
  }

  private async readAll(): Promise<Registry> {
    const all = Registry.merge([processRegistry(), this.counted]);
    await Promise.all(this.measures.list().map((measure) => this.readOne(measure, all)));
    return all;
  }

  private async readOne(measure: Measure, into: Registry): Promise<void> {
    const { name, help, labels: labelNames = [] } = measure;
    try {
      const readings = await readMeasure(measure);
      // Made anew for each reading: what is no longer there must not stay at its last value.
      const metric = { name, help, labelNames: [...labelNames], registers: [into] };
      if (name.endsWith('_total')) {
        const counter = new Counter(metric);
        for (const { labels, value } of readings) counter.inc({ ...labels }, value);
      } else {
        const gauge = new Gauge(metric);
        for (const { labels, value } of readings) gauge.set({ ...labels }, value);
      }
    } catch {
      // Its reason may quote what it read; the part that failed logs it.
      this.failures.inc({ measure: name });
    }
  }
}
