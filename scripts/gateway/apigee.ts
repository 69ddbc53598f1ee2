// Makes of the declared routes a proxy bundle of Apigee X: a folder that its console takes as an archive.
import type { Edge, EdgeLimit, EdgeProblem, EdgeRoute } from './edge-routes.ts';
import {
  assertUnmistakable,
  bodyOf,
  isOpen,
  methodsOf,
  nameOf,
  patternOf,
  problemOf,
  requestsIn,
  sorted,
  type Exporter,
} from './vendors.ts';

export const apigeeFiles: Exporter = (edge, { upstream, origins }) => {
  assertUnmistakable(edge.routes);
  const limits = new Map(edge.routes.flatMap((route) => route.limits).map((limit) => [limit.name, limit]));
  const policies: Record<string, string> = {
    'RF-unauthenticated': raiseFault('RF-unauthenticated', edge.unauthenticated, edge, ['WWW-Authenticate', 'Bearer']),
    'RF-not-found': raiseFault('RF-not-found', problemOf(edge, 'not-found'), edge),
  };
  for (const limit of [edge.everywhere, ...limits.values()]) policies[quotaName(limit)] = quota(limit);
  for (const credentials of [false, true])
    if (origins.length > 0) policies[corsName(credentials)] = cors(origins, credentials);
  const files = Object.entries(policies).map(([name, text]) => [`apiproxy/policies/${name}.xml`, head + text]);
  return {
    'apiproxy/service.xml': `${head}<APIProxy revision="1" name="service"/>\n`,
    'apiproxy/proxies/default.xml': head + proxy(edge, origins),
    'apiproxy/targets/default.xml': head + target(upstream),
    ...(Object.fromEntries(files) as Record<string, string>),
  };
};

const head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';

/** The first flow whose condition holds is the only one; the last one has no condition. */
function proxy({ routes, everywhere }: Edge, origins: readonly string[]): string {
  const flows = sorted(routes).map((route) => {
    const fault = isOpen(route) ? [] : [step('RF-unauthenticated', 'request.header.Authorization = null')];
    const shared = origins.length > 0 ? [step(corsName(route.takesCookies), 'request.header.Origin != null')] : [];
    const quotas = route.limits.map((limit) => step(quotaName(limit)));
    return flow(nameOf(route), condition(route), [...shared, ...fault, ...quotas]);
  });
  const paths = [...new Set(routes.map(patternOf))].map((pattern) => matches(pattern)).join(' or ');
  flows.push(
    flow('preflight', `request.verb = "OPTIONS" and (${paths})`, []),
    flow('unknown', undefined, [step('RF-not-found')]),
  );
  return `<ProxyEndpoint name="default">
  <PreFlow name="PreFlow">
    <Request>${step(quotaName(everywhere))}</Request>
    <Response/>
  </PreFlow>
  <Flows>
${flows.join('')}  </Flows>
  <PostFlow name="PostFlow"/>
  <HTTPProxyConnection>
    <BasePath>/</BasePath>
  </HTTPProxyConnection>
  <RouteRule name="default">
    <TargetEndpoint>default</TargetEndpoint>
  </RouteRule>
</ProxyEndpoint>
`;
}

const flow = (name: string, when: string | undefined, steps: readonly string[]): string =>
  `    <Flow name="${name}">\n      <Request>${steps.join('')}</Request>\n      <Response/>\n` +
  `${when === undefined ? '' : `      <Condition>${escaped(when)}</Condition>\n`}    </Flow>\n`;

const step = (name: string, when?: string): string =>
  `<Step><Name>${name}</Name>${when === undefined ? '' : `<Condition>${escaped(when)}</Condition>`}</Step>`;

function condition(route: EdgeRoute): string {
  const verbs = methodsOf(route).map((method) => `request.verb = "${method}"`);
  return `(${verbs.join(' or ')}) and ${matches(patternOf(route))}`;
}

/** A regular expression of Java, that has to match the whole. */
const matches = (pattern: string): string => `proxy.pathsuffix JavaRegex "^${pattern}"`;

const quotaName = ({ name }: EdgeLimit): string => `Q-${name}`;

function quota(limit: EdgeLimit): string {
  const seconds = Math.ceil(limit.windowSeconds / 60) * 60;
  const count = requestsIn(seconds, limit);
  return `<Quota name="${quotaName(limit)}">
  <Identifier ref="client.resolved.ip"/>
  <Allow count="${count}"/>
  <Interval>${seconds / 60}</Interval>
  <TimeUnit>minute</TimeUnit>
  <Distributed>true</Distributed>
  <Synchronous>false</Synchronous>
</Quota>
`;
}

function raiseFault(name: string, problem: EdgeProblem, { headers }: Edge, ...more: [string, string][]): string {
  const fields = [...Object.entries(headers), ...more]
    .map(([field, value]) => `        <Header name="${field}">${escaped(value)}</Header>\n`)
    .join('');
  // Braces of JSON would be read as variables.
  const attributes = 'contentType="application/problem+json" variablePrefix="@" variableSuffix="#"';
  return `<RaiseFault name="${name}">
  <FaultResponse>
    <Set>
      <Headers>
${fields}      </Headers>
      <Payload ${attributes}>${escaped(bodyOf(problem))}</Payload>
      <StatusCode>${problem.status}</StatusCode>
      <ReasonPhrase>${escaped(problem.title)}</ReasonPhrase>
    </Set>
  </FaultResponse>
  <IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables>
</RaiseFault>
`;
}

const corsName = (credentials: boolean): string => (credentials ? 'CORS-credentials' : 'CORS-origins');

/** The origins that may read; what a preflight is told comes from the service. */
const cors = (origins: readonly string[], credentials: boolean): string => `<CORS name="${corsName(credentials)}">
  <AllowOrigins>${origins.map(escaped).join(', ')}</AllowOrigins>
  <AllowCredentials>${credentials}</AllowCredentials>
  <GeneratePreflightResponse>false</GeneratePreflightResponse>
  <IgnoreUnresolvedVariables>true</IgnoreUnresolvedVariables>
</CORS>
`;

const target = (upstream: string): string => `<TargetEndpoint name="default">
  <PreFlow name="PreFlow"/>
  <PostFlow name="PostFlow"/>
  <HTTPTargetConnection>
    <SSLInfo>
      <Enabled>true</Enabled>
      <Enforce>true</Enforce>
      <ClientAuthEnabled>true</ClientAuthEnabled>
      <KeyStore>ref://service-keystore</KeyStore>
      <KeyAlias>gateway</KeyAlias>
      <TrustStore>ref://service-truststore</TrustStore>
    </SSLInfo>
    <URL>${escaped(upstream)}</URL>
  </HTTPTargetConnection>
</TargetEndpoint>
`;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
