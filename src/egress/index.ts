export { EgressModule } from './egress.module.js';
export { Egress } from './egress.js';
