import { Global, Inject, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Redis } from 'ioredis';
import { CONFIG, type Config } from '../config/index.js';
import { redisOptions } from './redis-connection.js';
import { SharedState } from './shared-state.js';

const connect = (config: Config, url: string, name: string): Redis => {
  const redis = new Redis(redisOptions(config, url, name));
  const logger = new Logger('SharedState');
  // Without a listener, ioredis prints to stderr by itself; the URL with its password must not get there.
  redis.on('error', (error: Error) => logger.warn(`Redis: ${error.message}`));
  return redis;
};

@Global()
@Module({
  providers: [
    {
      provide: SharedState,
      inject: [CONFIG],
      useFactory: (config: Config) => {
        const { redisUrl: url, publicUrl } = config;
        const namespace = new URL(publicUrl).host;
        if (url === undefined) return new SharedState(namespace);
        const [commands, subscriber] = [connect(config, url, 'commands'), connect(config, url, 'subscriber')];
        return new SharedState(namespace, { commands, subscriber });
      },
    },
  ],
  exports: [SharedState],
})
export class SharedStateModule implements OnApplicationShutdown {
  constructor(@Inject(SharedState) private readonly state: SharedState) {}

  onApplicationShutdown(): void {
    this.state.disconnect();
  }
}
