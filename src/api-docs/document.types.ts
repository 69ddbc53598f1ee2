import type { OpenAPIObject } from '@nestjs/swagger';

// @nestjs/swagger exports the type of the whole document, and none of its parts.

type Components = NonNullable<OpenAPIObject['components']>;
type Reference = { readonly $ref: string };

export type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
export type Parameter = Exclude<NonNullable<Operation['parameters']>[number], Reference>;
export type ResponseObject = Exclude<NonNullable<Components['responses']>[string], Reference>;
export type HeadersObject = NonNullable<ResponseObject['headers']>;
export type SchemaObject = Exclude<NonNullable<Components['schemas']>[string], Reference>;
export type SecuritySchemeObject = Exclude<NonNullable<Components['securitySchemes']>[string], Reference>;
