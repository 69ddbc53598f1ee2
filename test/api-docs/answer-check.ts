import { ApplicationConfig, DiscoveryService, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import type { OpenAPIObject } from '@nestjs/swagger';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { MachineAuthenticators } from '../../src/common/access/machine-authenticators.js';
import { OpenApi } from '../../src/api-docs/open-api.js';
import type { Service } from '../../src/app.js';
import type { AnswerCheck } from '../support/app.js';
import type { Answer } from '../support/http.js';

interface Schemed {
  readonly schema?: unknown;
  readonly required?: boolean;
}

interface DeclaredAnswer {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, Schemed>>;
  readonly headers?: Readonly<Record<string, Schemed>>;
}

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, DeclaredAnswer>>;
}

/** Fields that tell a client what to do next: they are declared, or they are not sent. */
const telling = ['etag', 'location', 'retry-after', 'www-authenticate', 'allow'];

/** The whole document is one schema to the validator, so that references find their way: these are its keys. */
const rootKeys = ['openapi', 'info', 'servers', 'tags', 'paths', 'components'];

/**
 * Holds answers against an OpenAPI document: what is declared is all that a client may ever see (ASVS v5.0.0-4.1.1).
 */
export class Conformance implements AnswerCheck {
  private readonly ajv = new Ajv2020({
    strict: true,
    allErrors: true,
    allowUnionTypes: true,
    keywords: ['example', ...rootKeys],
  });
  private readonly paths: readonly { readonly pattern: RegExp; readonly path: string }[];
  private readonly schemas = new Map<string, ValidateFunction>();

  constructor(readonly document: OpenAPIObject) {
    addFormats.default(this.ajv);
    this.ajv.addSchema(document, 'api', undefined, false);
    const specificFirst = Object.keys(document.paths).toSorted((a, b) => a.split('{').length - b.split('{').length);
    this.paths = specificFirst.map((path) => ({
      path,
      pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    }));
  }

  /** The document that the service publishes, or would publish if its pages were on. */
  static of({ app }: Service): Conformance {
    const get = <T>(token: abstract new (...args: never[]) => T): T => app.get(token, { strict: false });
    const openApi = new OpenApi(
      get(ModulesContainer),
      get(ApplicationConfig),
      get(HttpAdapterHost),
      get(DiscoveryService),
      get(MachineAuthenticators),
    );
    return new Conformance(JSON.parse(openApi.json()) as OpenAPIObject);
  }

  /**
   * @param methodsOf the methods that the router has for a path, pages that the document does not list included.
   * @throws Error that names the operation, the status and what is wrong with the answer.
   */
  check(method: string, target: string, answer: Answer, methodsOf: (path: string) => readonly string[]): void {
    const path = target.split('?')[0] ?? '';
    const verb = method === 'HEAD' ? 'get' : method.toLowerCase();
    const found = this.operationOf(verb, path);
    const faults =
      found === undefined
        ? this.withoutOperation(method, answer, path === '/openapi.json', methodsOf(path))
        : this.againstOperation(found, method, answer);
    if (faults.length === 0) return;
    const name = found === undefined ? 'no operation of the document' : found.operation.operationId;
    throw new Error(
      `${method} ${path} (${name}) answered ${answer.status}: ${faults.join('; ')}\n${answer.text.slice(0, 500)}`,
    );
  }

  private operationOf(verb: string, path: string) {
    const decoded = decoding(path);
    const known = this.paths.find(({ pattern }) => pattern.test(decoded))?.path;
    const operation =
      known === undefined ? undefined : (this.document.paths[known] as Record<string, Operation | undefined>)[verb];
    return known === undefined || operation === undefined
      ? undefined
      : { operation, pointer: `/paths/${escaped(known)}/${verb}` };
  }

  private againstOperation(
    { operation, pointer }: { operation: Operation; pointer: string },
    method: string,
    answer: Answer,
  ): string[] {
    const declared = operation.responses[answer.status];
    if (declared === undefined) return ['the status is not declared'];
    const place = declared.$ref?.slice(1) ?? `${pointer}/responses/${answer.status}`;
    const response = declared.$ref === undefined ? declared : (this.at(declared.$ref) as DeclaredAnswer);
    return [...this.bodyFaults(response, place, method, answer), ...this.headerFaults(response, place, answer)];
  }

  private bodyFaults({ content }: DeclaredAnswer, place: string, method: string, answer: Answer): string[] {
    if (content === undefined || method === 'HEAD')
      return answer.text === '' ? [] : ['there is a body, and none is declared'];
    const type = mediaTypeOf(answer);
    if (content[type] === undefined) return [`the content type ${type} is not declared`];
    return content[type].schema === undefined
      ? []
      : this.against(`${place}/content/${escaped(type)}/schema`, answer.body);
  }

  private headerFaults({ headers = {} }: DeclaredAnswer, place: string, answer: Answer): string[] {
    const undeclared = telling.filter(
      (name) => answer.headers[name] !== undefined && !Object.keys(headers).some((one) => one.toLowerCase() === name),
    );
    const declared = Object.entries(headers).flatMap(([name, { required, schema }]) => {
      const value = answer.headers[name.toLowerCase()];
      if (value === undefined) return required === true ? [`the header ${name} is missing`] : [];
      return schema === undefined
        ? []
        : this.against(`${place}/headers/${escaped(name)}/schema`, value).map((fault) => `${name}${fault}`);
    });
    return [...undeclared.map((name) => `the header ${name} is not declared`), ...declared];
  }

  /**
   * Unknown routes and methods are refused by problems; pages that the document does not list answer with what they
   * are, and with problems.
   */
  private withoutOperation(method: string, answer: Answer, isDocument: boolean, methods: readonly string[]): string[] {
    if (answer.status >= 400) return this.problemFaults(method, answer);
    if (method === 'OPTIONS')
      return answer.status === 204 && answer.text === '' ? [] : ['OPTIONS answers 204 without a body'];
    if (!methods.includes(method)) return ['nothing has that route, and it is not refused'];
    if (answer.headers['content-type'] === undefined) return ['there is no content type'];
    return typeof answer.body === 'object' && !isDocument ? ['a page answers with JSON'] : [];
  }

  private problemFaults(method: string, answer: Answer): string[] {
    if (mediaTypeOf(answer) !== 'application/problem+json') return ['it is no problem document'];
    if (answer.status === 405 && answer.headers['allow'] === undefined) return ['the header Allow is missing'];
    if (method === 'HEAD') return answer.text === '' ? [] : ['there is a body'];
    const faults = this.against('/components/schemas/Problem', answer.body);
    return answer.body?.status === answer.status ? faults : [...faults, 'the body has another status'];
  }

  private against(pointer: string, value: unknown): string[] {
    const known = this.schemas.get(pointer) ?? this.ajv.compile({ $ref: `api#${encodeURI(pointer)}` });
    this.schemas.set(pointer, known);
    if (known(value)) return [];
    return (known.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  }

  private at(reference: string): unknown {
    return reference
      .slice(2)
      .split('/')
      .reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], this.document);
  }
}

const mediaTypeOf = ({ headers }: Answer): string => headers['content-type']?.split(';')[0] ?? 'absent';

const escaped = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

/** As the router does: an encoded slash stays encoded, so that it never separates segments. */
function decoding(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

export const answerCheckOf = (service: Service): AnswerCheck => Conformance.of(service);
