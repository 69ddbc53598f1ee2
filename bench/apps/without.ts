// The service without some lines of THE TABLE in src/app.module.ts: what is gone from a request's cost is theirs.
import type { DynamicModule, Type } from '@nestjs/common';
import { AppModule } from '../../src/app.module.js';

const left = new Set((process.env['BENCH_WITHOUT'] ?? '').split(',').map((name) => `${name}Module`));
const whole = AppModule.with.bind(AppModule);

AppModule.with = (foundations): DynamicModule => {
  const { imports = [], ...rest } = whole(foundations);
  const names = (imports as (Type | DynamicModule)[]).map((line) => ('module' in line ? line.module.name : line.name));
  const unknown = [...left].find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`THE TABLE has no ${unknown}`);
  return { ...rest, imports: imports.filter((_, at) => !left.has(names[at] ?? '')) };
};

await import('../../src/main.js');
