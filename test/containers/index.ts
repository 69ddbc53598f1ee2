// Threat: a service that runs with more rights, files and ways than it needs: whoever gets in has them all.
// Does: reads the recipe of the image and the descriptions of what runs it, for tests that hold them to their promises.
// Does not: start a container: no engine runs in CI.
// Needs: gateway.
// Also: Dockerfile, .dockerignore, deploy/compose.yaml, deploy/compose, deploy/kubernetes,
// docs/decisions/0073-containers.md.
// Remove: npm run remove containers; what starts the service in its place is yours.
import { readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';

export interface ComposeService {
  readonly image: string;
  readonly build?: unknown;
  readonly user: string;
  readonly cap_add?: unknown;
  readonly cap_drop: readonly string[];
  readonly privileged?: boolean;
  readonly read_only: boolean;
  readonly security_opt: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly configs?: readonly { readonly source: string }[];
  readonly secrets: readonly (string | { readonly source: string })[];
  readonly networks: readonly string[] | Readonly<Record<string, { readonly ipv4_address?: string }>>;
  readonly ports?: readonly string[];
  readonly healthcheck: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly restart: string;
}

export interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly configs: Readonly<Record<string, { readonly file?: string }>>;
  readonly secrets: Readonly<Record<string, unknown>>;
}

/** With what whoever starts it has to say. */
export function readCompose(): Compose {
  const text = readFileSync('deploy/compose.yaml', 'utf8')
    .replaceAll('${PUBLIC_HOST:?the host of the API}', 'api.example.org')
    .replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
  return parse(text, { merge: true }) as Compose;
}

export interface Peer {
  readonly podSelector?: object;
  readonly namespaceSelector?: object;
  readonly ipBlock?: { readonly cidr: string };
}

interface Way {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly { readonly port: number }[];
}

interface Container {
  readonly image: string;
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly securityContext: object;
  readonly resources: object;
  readonly [probe: `${string}Probe`]: { readonly httpGet: { readonly path: string; readonly port: string } };
}

/** Of the kinds that are looked at, what is looked at. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly replicas?: number;
    readonly minReplicas?: number;
    readonly selector?: object;
    readonly type?: string;
    readonly podSelector: object;
    readonly policyTypes: readonly string[];
    readonly ingress?: readonly Way[];
    readonly egress?: readonly Way[];
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: {
        readonly automountServiceAccountToken: boolean;
        readonly securityContext: object;
        readonly containers: readonly [Container];
        readonly volumes: readonly {
          readonly secret?: { readonly secretName: string; readonly defaultMode: number };
        }[];
      };
    };
  };
}

interface Kustomization {
  readonly resources: readonly string[];
  readonly images: readonly { readonly name: string; readonly newTag: string }[];
  readonly configMapGenerator: readonly [{ readonly literals: readonly string[] }];
}

const folder = 'deploy/kubernetes/';
export const readKustomization = (): Kustomization =>
  parse(readFileSync(`${folder}kustomization.yaml`, 'utf8')) as Kustomization;

export const readManifests = (): Manifest[] =>
  readKustomization().resources.flatMap((file) =>
    parseAllDocuments(readFileSync(folder + file, 'utf8')).map((document) => document.toJS() as Manifest),
  );

/** The lines of each stage, by its name; those that go on are one. */
export function readStages(): Map<string, string[]> {
  const lines = readFileSync('Dockerfile', 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '');
  const starts = lines.flatMap((line, index) => (line.startsWith('FROM ') ? [index] : []));
  return new Map(
    starts.map((start, index) => [lines[start]?.split(' AS ')[1] ?? '', lines.slice(start, starts[index + 1])]),
  );
}

/** What the build is sent, by the rules of .dockerignore: the last one that fits counts. */
export function isSentToBuild(path: string): boolean {
  const rules = readFileSync('.dockerignore', 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const fits = (rule: string) =>
    new RegExp(
      `^${rule
        .replaceAll('.', String.raw`\.`)
        .replaceAll('**/', '(?:.+/)?')
        .replaceAll(/(?<!\))\*/g, '[^/]*')}(?:/|$)`,
    ).test(path);
  const last = rules.findLast((rule) => fits(rule.replace('!', '')));
  return last === undefined || last.startsWith('!');
}
