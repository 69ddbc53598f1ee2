import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { TestApp } from './app.js';

/** What the handlers declare, as @nestjs/swagger reads it: also of a service that publishes no document. */
export const documentOf = (app: TestApp): OpenAPIObject =>
  SwaggerModule.createDocument(app.on(0).service.app, new DocumentBuilder().setOpenAPIVersion('3.1.1').build());

export interface DocumentedRoute {
  readonly method: string;
  /** `/v1/users/{id}` */
  readonly path: string;
  readonly responses: Readonly<Record<string, { readonly headers?: object; readonly content?: object }>>;
}

/** Every route of the API: one that is added tomorrow is there tomorrow. Not its pages. */
export const routesOf = (document: OpenAPIObject): DocumentedRoute[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Pick<DocumentedRoute, 'responses'>>).map(([method, { responses }]) => ({
      method: method.toUpperCase(),
      path,
      responses,
    })),
  );
