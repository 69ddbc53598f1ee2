import type { IncomingMessage, ServerResponse } from 'node:http';
import helmet from 'helmet';

const twoYears = 2 * 365 * 24 * 60 * 60;

const middleware = helmet({
  // Nothing that this API answers is a document. If a browser is tricked into showing an answer, it may load nothing,
  // run nothing, be framed by nobody and submit nowhere (ASVS v5.0.0-3.4.3, 3.4.6; practice 3.3).
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      frameAncestors: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      sandbox: [],
    },
  },
  // Preload demands one year and sub-domains; ASVS v5.0.0-3.4.1 level 2 and up the sub-domains (RFC 6797).
  strictTransportSecurity: { maxAge: twoYears, includeSubDomains: true, preload: true },
  // The path of an API call names objects: it goes to nobody (ASVS v5.0.0-3.4.5).
  referrerPolicy: { policy: 'no-referrer' },
  crossOriginOpenerPolicy: { policy: 'same-origin' },
  crossOriginResourcePolicy: { policy: 'same-origin' },
  xFrameOptions: { action: 'deny' },
  // Switches of browsers that are gone (IE 8, Flash, the XSS auditor), or without meaning for JSON: bytes on every
  // answer that protect nobody.
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
  originAgentCluster: false,
});

/**
 * The headers of every response, lower-case names, computed once: helmet costs 100 us a request, a copy next to
 * nothing.
 */
export const securityHeaders: Readonly<Record<string, string>> = Object.freeze({
  ...collect(),
  'permissions-policy': 'accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()',
  // Answers belong to one caller: no cache, shared or private, keeps them (ASVS v5.0.0-14.3.2).
  'cache-control': 'no-store',
});

/** Runs helmet once against a response that only remembers. */
function collect(): Record<string, string> {
  const headers: Record<string, string> = {};
  const response = {
    setHeader: (name: string, value: string) => void (headers[name.toLowerCase()] = value),
    removeHeader: () => undefined,
  };
  middleware({} as IncomingMessage, response as unknown as ServerResponse, (error?: unknown) => {
    if (error !== undefined) throw error;
  });
  return headers;
}
