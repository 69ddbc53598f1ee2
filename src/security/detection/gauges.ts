import { Logger } from '@nestjs/common';
import { readMeasure, type Measure, type Measures } from '../../common/events/measures.js';
import type { GaugeRule } from './rule.js';

interface TooMuch {
  readonly rule: GaugeRule;
  readonly key: string;
  readonly value: number;
}

/** Reads measures, and says which are too high or too low: at once, and again after a window while they stay so. */
export class Gauges {
  private readonly logger = new Logger('Detection');
  /** At which look. Looks, not the clock, which may be set back and forth. */
  private readonly toldAt = new Map<string, number>();
  private looks = 0;

  constructor(
    private readonly rules: readonly GaugeRule[],
    private readonly measures: Measures,
    private readonly lookEveryMs: number,
  ) {}

  async look(): Promise<TooMuch[]> {
    if (this.rules.length === 0) return [];
    this.looks++;
    const known = new Map(this.measures.list().map((measure) => [measure.name, measure]));
    const found = await Promise.all(this.rules.map((rule) => this.beyond(rule, known.get(rule.measure))));
    return found.flat().filter((one) => this.isDue(one));
  }

  private async beyond(rule: GaugeRule, measure: Measure | undefined): Promise<(TooMuch & { isBeyond: boolean })[]> {
    if (measure === undefined) return [];
    try {
      return (await readMeasure(measure)).map(({ labels, value }) => {
        const isBeyond = rule.when === 'above' ? value >= rule.threshold : value <= rule.threshold;
        return { rule, key: Object.values(labels).join(' ') || 'all', value, isBeyond };
      });
    } catch (error) {
      this.logger.warn(`the measure ${rule.measure} could not be read, so ${rule.name} was not looked at`, error);
      return [];
    }
  }

  private isDue({ rule, key, isBeyond }: TooMuch & { isBeyond: boolean }): boolean {
    const id = `${rule.name} ${key}`;
    const toldAt = this.toldAt.get(id);
    if (!isBeyond) this.toldAt.delete(id);
    else if (toldAt === undefined || (this.looks - toldAt) * this.lookEveryMs >= rule.windowSeconds * 1000) {
      this.toldAt.set(id, this.looks);
      return true;
    }
    return false;
  }
}
