// Makes of the declared routes a template of CloudFormation: a REST API of API Gateway from an OpenAPI document with
// Amazon's extensions, and the rules of AWS WAF that count per address, which OpenAPI has no words for.
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
  type Exporter,
} from './vendors.ts';

export const awsFiles: Exporter = (edge, { upstream, origins }) => {
  assertUnmistakable(edge.routes);
  if (origins.length > 1)
    throw new Error('the answers of API Gateway itself name one --origin: say one, or let a proxy in front add them');
  const { host } = new URL(upstream);
  const template = {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: 'Made of the declared routes by npm run gateway:export aws',
    Parameters: {
      AuthorizerFunctionArn: { Type: 'String', Description: 'The Lambda function that looks at Authorization.' },
      AuthorizerRoleArn: { Type: 'String', Description: 'The role by which API Gateway calls it.' },
      VpcLinkId: { Type: 'String', Description: 'The way to the load balancer of the service.' },
    },
    Resources: {
      Api: {
        Type: 'AWS::ApiGateway::RestApi',
        Properties: { Body: document(edge, host, origins), EndpointConfiguration: { Types: ['REGIONAL'] } },
      },
      Deployment: { Type: 'AWS::ApiGateway::Deployment', Properties: { RestApiId: { Ref: 'Api' } } },
      Stage: {
        Type: 'AWS::ApiGateway::Stage',
        Properties: { RestApiId: { Ref: 'Api' }, DeploymentId: { Ref: 'Deployment' }, StageName: 'live' },
      },
      Limits: { Type: 'AWS::WAFv2::WebACL', Properties: firewall(edge) },
      LimitsOfStage: {
        Type: 'AWS::WAFv2::WebACLAssociation',
        Properties: {
          ResourceArn: {
            'Fn::Sub': `arn:\${AWS::Partition}:apigateway:\${AWS::Region}::/restapis/\${Api}/stages/\${Stage}`,
          },
          WebACLArn: { 'Fn::GetAtt': ['Limits', 'Arn'] },
        },
      },
    },
  };
  return { 'template.json': `${JSON.stringify(template, undefined, 1)}\n` };
};

/** OpenAPI 3.0: API Gateway does not read 3.1. */
function document({ routes, ...edge }: Edge, host: string, origins: readonly string[]) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = (paths[templateOf(route)] ??= { options: operation(route, 'OPTIONS', host, true) });
    for (const method of methodsOf(route)) path[method.toLowerCase()] = operation(route, method, host, isOpen(route));
  }
  return {
    'openapi': '3.0.1',
    'info': { title: 'service', version: '1' },
    'paths': paths,
    'components': {
      securitySchemes: {
        credential: {
          'type': 'apiKey',
          'name': 'Authorization',
          'in': 'header',
          'x-amazon-apigateway-authtype': 'custom',
          'x-amazon-apigateway-authorizer': {
            type: 'request',
            // Without this header API Gateway answers 401 by itself.
            identitySource: 'method.request.header.Authorization',
            authorizerUri: {
              'Fn::Sub':
                `arn:\${AWS::Partition}:apigateway:\${AWS::Region}:lambda:path/2015-03-31/functions/` +
                `\${AuthorizerFunctionArn}/invocations`,
            },
            authorizerCredentials: { Ref: 'AuthorizerRoleArn' },
            // A credential that was taken back is not let through for a while longer.
            authorizerResultTtlInSeconds: 0,
          },
        },
      },
    },
    'x-amazon-apigateway-request-validators': { parameters: { validateRequestParameters: true } },
    'x-amazon-apigateway-request-validator': 'parameters',
    'x-amazon-apigateway-gateway-responses': gatewayResponses({ routes, ...edge }, origins),
  };
}

/** Named by their place: API Gateway takes no two names for a segment of the same parent. */
const parametersOf = ({ segments }: EdgeRoute): string[] =>
  segments.flatMap((segment, index) => (segment === undefined ? [`p${index}`] : []));

const templateOf = ({ segments }: EdgeRoute): string =>
  `/${segments.map((segment, index) => segment ?? `{p${index}}`).join('/')}`;

function operation(route: EdgeRoute, method: string, host: string, isOpenToAll: boolean) {
  const names = parametersOf(route);
  return {
    'operationId': method === route.method ? nameOf(route) : `${method.toLowerCase()}-for-${nameOf(route)}`,
    'parameters': names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
    'security': isOpenToAll ? [] : [{ credential: [] }],
    'responses': { default: { description: 'What the service answers.' } },
    'x-amazon-apigateway-integration': {
      type: 'http_proxy',
      httpMethod: method,
      uri: `https://${host}${templateOf(route)}`,
      connectionType: 'VPC_LINK',
      connectionId: { Ref: 'VpcLinkId' },
      passthroughBehavior: 'when_no_match',
      requestParameters: Object.fromEntries(
        names.map((name) => [`integration.request.path.${name}`, `method.request.path.${name}`]),
      ),
    },
  };
}

/** The name of the problem, by what API Gateway calls its own answers; a path without a route is the last one. */
const responses: Readonly<Record<string, string>> = {
  ACCESS_DENIED: 'forbidden',
  BAD_REQUEST_PARAMETERS: 'malformed-request',
  REQUEST_TOO_LARGE: 'content-too-large',
  THROTTLED: 'too-many-requests',
  DEFAULT_5XX: 'unavailable',
  MISSING_AUTHENTICATION_TOKEN: 'not-found',
};

function gatewayResponses(edge: Edge, origins: readonly string[]) {
  const responseOf = (problem: EdgeProblem, more: Readonly<Record<string, string>> = {}) => {
    const cors = origins[0] === undefined ? {} : { 'access-control-allow-origin': origins[0], 'vary': 'Origin' };
    const fields = { ...edge.headers, ...more, ...cors, 'content-type': 'application/problem+json' };
    return {
      statusCode: problem.status,
      responseParameters: Object.fromEntries(
        Object.entries(fields).map(([field, value]) => [`gatewayresponse.header.${field}`, `'${value}'`]),
      ),
      responseTemplates: { 'application/json': bodyOf(problem, '$context.requestId') },
    };
  };
  const own = Object.entries(responses).map(([type, name]) => [type, responseOf(problemOf(edge, name))]);
  const challenge = { 'www-authenticate': 'Bearer' };
  return { ...Object.fromEntries(own), UNAUTHORIZED: responseOf(edge.unauthenticated, challenge) };
}

const visible = (name: string) => ({ CloudWatchMetricsEnabled: true, MetricName: name, SampledRequestsEnabled: false });

function firewall({ routes, everywhere }: Edge) {
  const own = Map.groupBy(
    routes.flatMap((route) => route.limits.map((limit) => ({ limit, route }))),
    ({ limit }) => limit.name,
  );
  const limited = [...own.values()].map((all) => ({
    limit: all[0]?.limit as EdgeLimit,
    statements: all.map(({ route }) => statementOf(route)),
  }));
  const rules = [{ limit: everywhere, statements: [] }, ...limited].map(({ limit, statements }, priority) => {
    const window = windows.find((seconds) => seconds >= limit.windowSeconds) ?? 600;
    const [only] = statements;
    const scope = statements.length > 1 ? { OrStatement: { Statements: statements } } : only;
    return {
      Name: limit.name,
      Priority: priority,
      Action: { Block: { CustomResponse: { ResponseCode: 429 } } },
      VisibilityConfig: visible(limit.name),
      Statement: {
        RateBasedStatement: {
          AggregateKeyType: 'IP',
          EvaluationWindowSec: window,
          // WAF counts to ten at least.
          Limit: Math.max(10, requestsIn(window, limit)),
          ...(scope === undefined ? {} : { ScopeDownStatement: scope }),
        },
      },
    };
  });
  return { Scope: 'REGIONAL', DefaultAction: { Allow: {} }, VisibilityConfig: visible('limits'), Rules: rules };
}

/** Windows that WAF knows, in seconds. */
const windows = [60, 120, 300, 600] as const;

/** With the name of the stage in front, or without it behind a name of one's own. */
function statementOf(route: EdgeRoute) {
  const none = [{ Priority: 0, Type: 'NONE' }];
  const match = (field: unknown, expression: string) => ({
    RegexMatchStatement: { FieldToMatch: field, RegexString: expression, TextTransformations: none },
  });
  return {
    AndStatement: {
      Statements: [
        match({ Method: {} }, `^(?:${methodsOf(route).join('|')})$`),
        match({ UriPath: {} }, `^(?:/live)?${patternOf(route)}`),
      ],
    },
  };
}
