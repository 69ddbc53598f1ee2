import { ViewField } from '../../common/http/view.js';

/** A public P-256 key (RFC 7517). The private member `d` is not declared, so it cannot leave. */
export class JwkView {
  @ViewField({ type: 'string', enum: ['EC'] })
  kty: string;

  @ViewField({ type: 'string', enum: ['P-256'] })
  crv: string;

  @ViewField({ type: 'string' })
  x: string;

  @ViewField({ type: 'string' })
  y: string;

  @ViewField({ type: 'string', format: 'uuid' })
  kid: string;

  @ViewField({ type: 'string', enum: ['ES256'] })
  alg: string;

  @ViewField({ type: 'string', enum: ['sig'] })
  use: string;
}

export class JwksView {
  @ViewField({ view: () => JwkView, many: true })
  keys: JwkView[];
}
