export {
  /** @public: every user of it can be removed. */
  declareClientAuthorities,
} from './client-authorities.js';
export { Drain } from './drain.js';
export { InternalListener } from './internal-listener.js';
export { limits, listenerOptions, listenFault, type ListenerHandlers } from './listener-options.js';
export { RedirectListener } from './redirect-listener.js';
export { loadTls, type TlsFiles } from './tls.js';
export { TransportModule } from './transport.module.js';
