import { Injectable, Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { RedisWatch } from './redis-watch.js';

type Listener = (message: string) => void;

/**
 * Short-lived state of all instances. In memory it is the state of one instance; with Redis, of all of them. Messages are
 * hints that empty caches early: nothing is allowed because a message arrived, or did not.
 */
@Injectable()
export class SharedState {
  private readonly logger = new Logger('SharedState');
  private readonly listeners = new Map<string, Listener[]>();
  private readonly watch: RedisWatch | undefined;
  private disconnected = false;

  /**
   * @param namespace begins every key and channel, so that two deployments on one Redis do not meet.
   * @param connections two Redis connections (a subscribed one can do nothing else), or undefined for memory.
   */
  constructor(
    readonly namespace: string,
    private readonly connections?: { readonly commands: Redis; readonly subscriber: Redis },
  ) {
    this.watch = connections && new RedisWatch(connections.commands, connections.subscriber, namespace);
    connections?.subscriber.on('message', (channel: string, message: string) =>
      this.deliver(channel.slice(namespace.length + 1), message),
    );
  }

  /** The connection for counters that all instances share; undefined when the state is in memory. */
  get redis(): Redis | undefined {
    return this.connections?.commands;
  }

  /** Tells every instance, this one included, at once here and within milliseconds there. Never fails the caller. */
  async publish(channel: string, message: string): Promise<void> {
    this.deliver(channel, message);
    try {
      await this.connections?.commands.publish(`${this.namespace}:${channel}`, message);
    } catch (error) {
      // The other instances learn it when their micro-caches end, at most 2 s later.
      this.watch?.report(error);
    }
  }

  /** Delivery is at most once, and may come twice to the instance that published: listeners must be idempotent. */
  subscribe(channel: string, listener: Listener): void {
    const known = this.listeners.get(channel);
    if (known !== undefined) {
      known.push(listener);
      return;
    }
    this.listeners.set(channel, [listener]);
    this.connections?.subscriber.subscribe(`${this.namespace}:${channel}`).catch((error: unknown) => {
      // A command may be done before the connection was there.
      if (this.disconnected) return;
      this.logger.error(`the channel ${channel} could not be subscribed; ioredis tries again when Redis is back`, error);
    });
  }

  /** Rejects when Redis does not do what the service needs; memory always does. */
  async check(): Promise<void> {
    await this.watch?.check();
  }

  disconnect(): void {
    this.disconnected = true;
    this.watch?.end();
    this.connections?.commands.disconnect();
    this.connections?.subscriber.disconnect();
  }

  private deliver(channel: string, message: string): void {
    for (const listener of this.listeners.get(channel) ?? []) listener(message);
  }
}
