// Remove: not by itself; what all instances share for a moment is there, ended sessions among it.
import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Redis } from 'ioredis';
import { Measures } from '../common/events/measures.js';
import { HealthChecks } from '../common/health-checks.js';
import { CONFIG, type Config } from '../config/index.js';
import { namespaceOf, redisOptions } from './redis-connection.js';
import { SharedState } from './shared-state.js';

@Global()
@Module({
  providers: [
    {
      provide: SharedState,
      inject: [CONFIG],
      useFactory: (config: Config) => {
        const url = config.redisUrl;
        if (url === undefined) return new SharedState(namespaceOf(config));
        const [commands, subscriber] = ['commands', 'subscriber'].map(
          (name) => new Redis(redisOptions(config, url, name)),
        ) as [Redis, Redis];
        return new SharedState(namespaceOf(config), { commands, subscriber });
      },
    },
  ],
  exports: [SharedState],
})
export class SharedStateModule implements OnApplicationShutdown {
  constructor(
    @Inject(SharedState) private readonly state: SharedState,
    health: HealthChecks,
    measures: Measures,
  ) {
    measures.add({
      name: 'shared_state_up',
      help: '1 while the state that all instances share can be reached; in memory always.',
      read: () => Number(state.isUp),
    });
    // Told, and not required: without Redis each instance limits by itself, and to take all of them away would be the
    // larger outage.
    if (state.redis !== undefined) health.add('redis', () => state.check(), { required: false });
  }

  onApplicationShutdown(): void {
    this.state.disconnect();
  }
}
