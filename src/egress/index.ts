export { EgressUnavailable } from './circuit.js';
export { EgressRefused } from './destination.js';
export { EgressModule } from './egress.module.js';
export { Egress } from './egress.js';
export type { EgressAnswer, EgressBounds, EgressClient, EgressRequest } from './egress-client.js';
export { fetchThrough } from './egress-fetch.js';
