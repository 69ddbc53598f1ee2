import { Injectable, type INestApplication } from '@nestjs/common';
import { ApplicationConfig, DiscoveryService, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { ACCESS, type Access } from '../common/access.decorators.js';
import { listHandlers } from '../common/handlers.js';

const operationIdFactory = (controller: string, method: string): string => `${controller}.${method}`;

const text = { type: 'string' };

/** RFC 9457, as security/errors writes it. */
const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'requestId'],
  properties: {
    type: { ...text, description: 'Stable: branch on it.', examples: ['/problems/not-found'] },
    title: text,
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: text,
    requestId: { type: 'string', format: 'uuid' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'code', 'message'],
        properties: { pointer: text, code: text, message: text },
      },
    },
  },
};

/** The OpenAPI 3.1 document, made from what the handlers declare: what is checked is what is published (practice 3.2). */
@Injectable()
export class OpenApi {
  private text?: string;

  constructor(
    private readonly modules: ModulesContainer,
    private readonly application: ApplicationConfig,
    private readonly host: HttpAdapterHost,
    private readonly discovery: DiscoveryService,
  ) {}

  /** JSON, made at the first call: a start does not wait for it. */
  json(): string {
    return (this.text ??= JSON.stringify(this.create()));
  }

  create(): OpenAPIObject {
    const settings = new DocumentBuilder()
      .setOpenAPIVersion('3.1.1')
      .setTitle('API')
      .setVersion('1')
      // Relative: the page calls the origin that it came from, whatever name the service is reached by.
      .addServer('/')
      .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, 'bearer')
      .build();
    const document = SwaggerModule.createDocument(this.nest(), settings, { operationIdFactory });
    document.components = { ...document.components, schemas: { ...document.components?.schemas, Problem: problemSchema } };
    this.declareAccess(document);
    return document;
  }

  /** Which operations need a token comes from `@Can` and `@Public` themselves, so the document cannot say otherwise. */
  private declareAccess(document: OpenAPIObject): void {
    const handlers = new Map(listHandlers(this.discovery).map(({ name, method }) => [name, method]));
    const problem = { content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } };
    for (const operation of Object.values(document.paths).flatMap((path) => Object.values(path))) {
      const handler = handlers.get(operation.operationId);
      const access = handler && (Reflect.getMetadata(ACCESS, handler) as Access | undefined);
      operation.security = access?.kind === 'public' ? [] : [{ bearer: [] }];
      operation.responses = { ...operation.responses, default: { description: 'A problem (RFC 9457)', ...problem } };
    }
  }

  /** What the scanner of @nestjs/swagger reads of an application; a module does not get hold of the application itself. */
  private nest(): INestApplication {
    const container = { getModules: () => this.modules, isGlobalModule: () => false };
    const view = { container, config: this.application, getHttpAdapter: () => this.host.httpAdapter };
    return view as unknown as INestApplication;
  }
}
