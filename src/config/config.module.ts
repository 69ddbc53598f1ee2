// Remove: not by itself; nothing else reads the environment.
import { Global, Module, type DynamicModule } from '@nestjs/common';
import type { Config } from './config.types.js';

/** Injection token of the frozen configuration: `@Inject(CONFIG) private readonly config: Config`. */
export const CONFIG = Symbol('Config');

@Global()
@Module({})
export class ConfigModule {
  static with(config: Config): DynamicModule {
    return { module: ConfigModule, providers: [{ provide: CONFIG, useValue: config }], exports: [CONFIG] };
  }
}
