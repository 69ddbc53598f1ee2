import { Injectable } from '@nestjs/common';

/** One metric as Prometheus has it: a histogram is its buckets (`le`), sum and count. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  readonly samples: readonly MetricSample[];
}

export interface MetricSample {
  /** Of a histogram with `_bucket`, `_sum` or `_count`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

type Source = () => Promise<readonly MetricFamily[]>;

/** Between the part that counts and those who bring its figures somewhere else. */
@Injectable()
export class MetricFamilies {
  private source: Source = async () => [];

  /** @public: every user of it can be removed. */
  from(source: Source): void {
    this.source = source;
  }

  /** Empty when nobody counts. @public: every user of it can be removed. */
  read(): Promise<readonly MetricFamily[]> {
    return this.source();
  }
}
