// Threat: whoever steals database and key ring together reads everybody.
// Does: AWS KMS wraps and unwraps the data keys; the key that wraps never leaves it.
// Does not: help against a stolen credential of the service until it is withdrawn.
// Remove: npm run remove aws-kms; data keys that it wrapped open no more, so move them first (keys:rotate pii).
// Also: packages/field-encryption/src/key-wrappers/aws-kms.ts,
// packages/field-encryption/test/key-wrappers/aws-kms.test.ts.
import { AwsKmsWrapper, type AwsKmsSettings } from '@nestjs-secure-template/field-encryption/aws-kms';
import { declareSettings, faultsAmong, listOf } from '../../../config/index.js';
import type { Egress, EgressRequest } from '../../../egress/index.js';
import { keyServiceEgress, keyServiceOrigin, type ConfiguredWrapper } from './key-service.js';

const settings = declareSettings(
  {
    AWS_KMS_KEY_ID: {
      group: 'Data protection (practice 7)',
      description:
        'ARNs of symmetric KMS keys of one region, separated by commas: the first wraps, all unwrap. Credentials: ' +
        'the standard chain of the AWS SDK.',
      example: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      fallback: [] as readonly string[],
      parse: listOf(keyArn),
    },
    AWS_KMS_ENDPOINT: {
      group: 'Data protection (practice 7)',
      description: 'The origin of a VPC endpoint for KMS. Not set: the public endpoint of the region.',
      example: 'https://vpce-0123456789abcdef0.kms.eu-central-1.vpce.amazonaws.com',
      parse: keyServiceOrigin,
    },
  },
  ({ AWS_KMS_KEY_ID: keyArns, AWS_KMS_ENDPOINT: endpoint }) =>
    faultsAmong([
      [keyArns.length === 0 && endpoint !== undefined, 'AWS_KMS_ENDPOINT needs AWS_KMS_KEY_ID: set both, or unset it'],
      [new Set(keyArns.map((arn) => arn.split(':')[3])).size > 1, 'AWS_KMS_KEY_ID: set keys of one region only'],
    ]),
);

/** Data keys wrapped by a symmetric key of AWS KMS. */
export const awsKms: ConfiguredWrapper = {
  name: 'aws-kms',
  demands: 'AWS_KMS_KEY_ID',
  open(config) {
    const { AWS_KMS_KEY_ID: keyArns, AWS_KMS_ENDPOINT: endpoint } = config.of(settings);
    if (keyArns.length === 0) return undefined;
    return async (egress) =>
      AwsKmsWrapper.open({ keyArns, endpoint, requestHandler: requestHandlerOf(egress, keyArns, endpoint) });
  },
};

/** What the SDK hands to the client that it is given. */
interface SdkRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/**
 * The SDK sends through egress: to KMS, and to STS of that region for the credentials of a pod. The metadata service of
 * the machine it asks by itself, where its standard chain comes so far: egress has no way there.
 */
function requestHandlerOf(
  egress: Egress,
  [arn = '']: readonly string[],
  endpoint: string | undefined,
): AwsKmsSettings['requestHandler'] {
  const [, partition, , region] = arn.split(':');
  const suffix = partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
  const origins = [endpoint ?? `https://kms.${region}.${suffix}`, `https://sts.${region}.${suffix}`];
  const client = egress.for({ ...keyServiceEgress, origins, variable: 'AWS_KMS_ENDPOINT' });
  const handler = {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(request: SdkRequest, { abortSignal }: { readonly abortSignal?: AbortSignal } = {}) {
      const { status, headers, body } = await client.send({
        url: urlOf(request),
        method: request.method as EgressRequest['method'],
        headers: request.headers,
        milliseconds: 2_000,
        bytes: 64 * 1024,
        ...(request.body === undefined ? {} : { body: request.body }),
        ...(abortSignal === undefined ? {} : { signal: abortSignal }),
      });
      return { response: { statusCode: status, headers, body } };
    },
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  };
  return handler as AwsKmsSettings['requestHandler'];
}

function urlOf({ protocol, hostname, port, path, query = {} }: SdkRequest): string {
  const pairs = Object.entries(query).flatMap(([name, value]) => [value ?? ''].flat().map((each) => [name, each]));
  const search = new URLSearchParams(pairs).toString();
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}${search && `?${search}`}`;
}

/** No alias: whoever may move an alias would choose the key. */
function keyArn(text: string): string {
  if (/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]{1,64}$/.test(text)) return text;
  throw new Error('set the ARN of a key, arn:aws:kms:<region>:<account>:key/<id>, and no alias');
}
