import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { Acknowledgements } from './acknowledgements.js';
import { RedisWatch } from './redis-watch.js';

type Listener = (message: string) => Promise<void> | void;

interface Connections {
  readonly commands: Redis;
  readonly subscriber: Redis;
}

/** So long may an instance act on what it remembers, if it does not hear that it has changed. */
export const rememberedMs = 2_000;

/**
 * Short-lived state of all instances. In memory it is the state of one instance; with Redis, of all of them. Messages
 * empty caches:
 * nothing is allowed because a message arrived. What is remembered across requests is remembered for `rememberedMs` at
 * most, and only while `isListening`: so after `publish()` nobody acts on the old state any more.
 */
@Injectable()
export class SharedState {
  private readonly logger = new Logger('SharedState');
  private readonly listeners = new Map<string, Listener[]>();
  private readonly watch: RedisWatch | undefined;
  private readonly interruptions: (() => void)[] = [];
  private readonly acknowledgements = new Acknowledgements();
  private readonly instance = randomUUID();
  private announced = 0;
  private disconnected = false;
  /** Counts connections of the subscriber: an answer of an earlier one says nothing about this one. */
  private connection = 0;
  private unanswered = 0;

  /**
   * @param namespace begins every key and channel, so that two deployments on one Redis do not meet.
   * @param connections two Redis connections (a subscribed one can do nothing else), or undefined for memory.
   */
  constructor(
    readonly namespace: string,
    private readonly connections?: Connections,
  ) {
    if (connections === undefined) return;
    const { commands, subscriber } = connections;
    this.watch = new RedisWatch(commands, subscriber, namespace);
    subscriber.on(
      'message',
      (channel: string, text: string) => void this.receive(channel.slice(namespace.length + 1), text),
    );
    subscriber.on('ready', () => this.listenAgain());
    subscriber.on('close', () => this.interrupt());
    this.listen(this.ackChannel(this.instance));
  }

  /** The connection for counters that all instances share; undefined when the state is in memory. */
  get redis(): Redis | undefined {
    return this.connections?.commands;
  }

  /** False while messages could be missed: until then nothing may be remembered. */
  get isListening(): boolean {
    return this.connections === undefined || (this.connections.subscriber.status === 'ready' && this.unanswered === 0);
  }

  /** Whether Redis did what the service needs when it was last asked; memory always does. */
  get isUp(): boolean {
    return this.isListening && this.watch?.isUp !== false;
  }

  /** What somebody met who used Redis, told once until it works again. */
  report(error: unknown): void {
    this.watch?.report(error);
  }

  /** Called when messages may have been missed: whatever is remembered has to be forgotten. */
  onInterruption(listener: () => void): void {
    this.interruptions.push(listener);
  }

  /**
   * Tells every instance, this one at once. Resolves when all that are connected to Redis have acted on it; where one
   * does not answer, or Redis does not, after `rememberedMs`, when nothing that they remember counts any more (ASVS
   * v5.0.0-7.4.1). Never fails the caller.
   */
  async publish(channel: string, message: string): Promise<void> {
    void this.deliver(channel, message);
    if (this.connections === undefined) return;
    const id = String((this.announced += 1));
    const everybody = this.acknowledgements.all(id, rememberedMs);
    try {
      const receivers = await this.connections.commands.publish(
        `${this.namespace}:${channel}`,
        JSON.stringify([this.instance, id, message]),
      );
      this.acknowledgements.expect(id, receivers);
    } catch (error) {
      this.watch?.report(error);
    }
    await everybody;
  }

  /**
   * Delivery is at most once: see `onInterruption()`. An instance counts as told when the listener has returned, or its
   * promise is kept.
   */
  subscribe(channel: string, listener: Listener): void {
    const known = this.listeners.get(channel);
    if (known !== undefined) {
      known.push(listener);
      return;
    }
    this.listeners.set(channel, [listener]);
    if (this.connections !== undefined) this.listen(channel);
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

  private listen(...channels: string[]): void {
    const { connection } = this;
    this.unanswered += 1;
    const settle = () => {
      if (connection === this.connection) this.unanswered -= 1;
    };
    this.connections?.subscriber
      .subscribe(...channels.map((channel) => `${this.namespace}:${channel}`))
      .then(settle, (error: unknown) => {
        // A command may be done before the connection was there.
        if (!this.disconnected)
          this.logger.error('Redis did not take a subscription; it is tried again when Redis is back', error);
      });
  }

  /** A new connection has no subscriptions; only its answer says that from here on nothing is missed. */
  private listenAgain(): void {
    this.connection += 1;
    this.unanswered = 0;
    this.listen(this.ackChannel(this.instance), ...this.listeners.keys());
    this.interrupt();
  }

  private interrupt(): void {
    for (const listener of this.interruptions) listener();
  }

  private async receive(channel: string, text: string): Promise<void> {
    if (channel === this.ackChannel(this.instance)) {
      this.acknowledgements.heard(text);
      return;
    }
    try {
      const [sender, id, message] = JSON.parse(text) as [string, string, string];
      // What this instance says itself it has acted on already.
      if (sender !== this.instance && !(await this.deliver(channel, message))) return;
      await this.connections?.commands.publish(`${this.namespace}:${this.ackChannel(sender)}`, id);
    } catch (error) {
      if (!this.disconnected) this.logger.error(`a message of the channel ${channel} could not be answered`, error);
    }
  }

  private ackChannel(instance: string): string {
    return `ack:${instance}`;
  }

  /** @returns false when a listener failed: whoever announced then waits until it no longer matters. */
  private async deliver(channel: string, message: string): Promise<boolean> {
    try {
      await Promise.all((this.listeners.get(channel) ?? []).map(async (listener) => listener(message)));
      return true;
    } catch (error) {
      this.logger.error(`a message of the channel ${channel} was not acted on`, error);
      return false;
    }
  }
}
