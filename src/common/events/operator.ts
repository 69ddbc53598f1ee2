import { AsyncLocalStorage } from 'node:async_hooks';

/** Who acts on the machine in an incident, and why. It stands in the details of every audit event of the command. */
export interface Operator {
  readonly operator: string;
  readonly reason: string;
}

const storage = new AsyncLocalStorage<Operator>();

/** Undefined in the service, and in commands of which nobody asks a reason. */
export const runningOperator = (): Operator | undefined => storage.getStore();

/** @public: every user of it can be removed. */
export const runAsOperator = <T>(operator: Operator, work: () => T): T => storage.run(operator, work);
