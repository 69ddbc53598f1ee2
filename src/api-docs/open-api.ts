import { Injectable, type INestApplication } from '@nestjs/common';
import { ApplicationConfig, DiscoveryService, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { ACCESS, type Access, type Signature } from '../common/access/access.decorators.js';
import { MachineAuthenticators } from '../common/access/machine-authenticators.js';
import { ENTITY_TAGGED } from '../common/http/entity-tag.js';
import { dtosIn } from '../common/http/declared-fields.js';
import { listHandlers, type Handler } from '../common/http/handlers.js';
import { parametersOf } from '../common/http/parameters.js';
import { refusalsOf } from './declared-refusals.js';
import type { Operation, ResponseObject, SchemaObject, SecuritySchemeObject } from './document.types.js';
import { assertNoNamesakes } from './namesakes.js';
import { headersOf, problemSchema, ProblemResponses } from './problem-responses.js';

const operationIdFactory = (controller: string, method: string): string => `${controller}.${method}`;

/**
 * The OpenAPI 3.1 document, made from what the handlers declare: what is checked is what is published (practice 3.2).
 */
@Injectable()
export class OpenApi {
  private text?: string;

  constructor(
    private readonly modules: ModulesContainer,
    private readonly application: ApplicationConfig,
    private readonly host: HttpAdapterHost,
    private readonly discovery: DiscoveryService,
    private readonly machines: MachineAuthenticators,
  ) {}

  /** JSON, made at the first call: a start does not wait for it. */
  json(): string {
    return (this.text ??= JSON.stringify(this.create()));
  }

  /** @throws Error when two classes would be published under one name. */
  create(): OpenAPIObject {
    const listed = listHandlers(this.discovery);
    assertNoNamesakes(listed);
    const settings = new DocumentBuilder()
      .setOpenAPIVersion('3.1.1')
      .setTitle('API')
      .setVersion('1')
      // Relative: the page calls the origin that it came from, whatever name the service is reached by.
      .addServer('/')
      .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, 'bearer')
      .build();
    const document = SwaggerModule.createDocument(this.nest(), settings, { operationIdFactory });
    const responses = new ProblemResponses();
    this.declareAnswers(document, responses, listed);
    const open = openInputs(listed);
    const schemas = Object.entries(document.components?.schemas ?? {}).map(([name, schema]) => [
      name,
      open.has(name) ? (schema as SchemaObject) : closed(schema as SchemaObject),
    ]);
    document.components = {
      ...document.components,
      securitySchemes: {
        ...document.components?.securitySchemes,
        ...Object.fromEntries(this.machines.list().map(({ name, scheme }) => [name, scheme as SecuritySchemeObject])),
        ...signatureSchemes(listed),
      },
      schemas: { ...Object.fromEntries(schemas), Problem: problemSchema },
      responses: responses.components,
    };
    return document;
  }

  /**
   * Which operations need a token, and what each can answer, comes from the decorators that enforce it: the document
   * cannot say otherwise.
   * There is no `default`: a status that is not declared is not answered, and the tests hold every answer against this.
   */
  private declareAnswers(document: OpenAPIObject, problems: ProblemResponses, listed: readonly Handler[]): void {
    const handlers = new Map(listed.map(({ name, method }) => [name, method]));
    for (const [verb, operation] of Object.values(document.paths).flatMap(
      (path) => Object.entries(path) as [string, Operation][],
    )) {
      const handler = handlers.get(operation.operationId ?? '');
      if (handler === undefined) throw new Error(`the document has ${operation.operationId}, which no controller has`);
      const access = Reflect.getMetadata(ACCESS, handler) as Access | undefined;
      operation.security = this.securityOf(access);
      const answers = Object.entries(operation.responses) as [string, ResponseObject][];
      const tagged = Reflect.getMetadata(ENTITY_TAGGED, handler) === true;
      const own = answers.map(([status, answer]) => [
        status,
        { ...answer, headers: { ...answer.headers, ...headersOf(Number(status), tagged) } },
      ]);
      operation.responses = problems.beside(
        Object.fromEntries(own) as Record<string, ResponseObject>,
        refusalsOf(handler, verb, operation),
      );
    }
  }

  /** Each of the schemes suffices: people by their access token, machines by any of their methods. */
  private securityOf(access: Access | undefined): Record<string, string[]>[] {
    if (access?.kind === 'public') return access.signature === undefined ? [] : [{ [schemeOf(access.signature)]: [] }];
    const forMachines = access?.kinds.includes('machine') === true ? this.machines.list() : [];
    const forPeople = access?.kinds.includes('person') === false ? [] : ['bearer'];
    return [...forPeople, ...forMachines.map(({ name }) => name)].map((name) => ({ [name]: [] }));
  }

  /**
   * What the scanner of @nestjs/swagger reads of an application; a module does not get hold of the application itself.
   */
  private nest(): INestApplication {
    const container = { getModules: () => this.modules, isGlobalModule: () => false };
    const view = { container, config: this.application, getHttpAdapter: () => this.host.httpAdapter };
    return view as unknown as INestApplication;
  }
}

const schemeOf = ({ sender }: Signature): string => `signed-by-${sender}`;

/** OpenAPI has no scheme for signatures: a key in a header field comes nearest, and its description says the rest. */
const signatureSchemes = (listed: readonly Handler[]): Record<string, SecuritySchemeObject> =>
  Object.fromEntries(
    listed.flatMap(({ method }) => {
      const signature = signatureOf(method);
      if (signature === undefined) return [];
      const { field, description } = signature;
      return [[schemeOf(signature), { type: 'apiKey', in: 'header', name: field, description }]];
    }),
  );

function signatureOf(handler: Function): Signature | undefined {
  const access = Reflect.getMetadata(ACCESS, handler) as Access | undefined;
  return access?.kind === 'public' ? access.signature : undefined;
}

/** The names of what signed requests bring: their senders add fields when they like, and those are dropped. */
const openInputs = (listed: readonly Handler[]): ReadonlySet<string> =>
  new Set(
    listed
      .filter(({ method }) => signatureOf(method) !== undefined)
      .flatMap(({ controller, key }) => parametersOf(controller, key))
      .flatMap(({ part, type }) => (part === 'body' && type !== undefined ? [...dtosIn(type)] : []))
      .map(({ name }) => name),
  );

/** Inputs with other fields are refused, and views have no others. */
function closed(schema: SchemaObject): SchemaObject {
  for (const property of Object.values((schema.properties ?? {}) as Record<string, SchemaObject>)) {
    // A list of choices may have grown since its field was declared: a feature that is loaded later declares a role.
    const choices = (property.items as SchemaObject | undefined)?.enum;
    if (property.uniqueItems === true && choices !== undefined) property.maxItems = choices.length;
  }
  return { ...schema, additionalProperties: false };
}
