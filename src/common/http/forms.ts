import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiConsumes } from '@nestjs/swagger';

/**
 * The route takes a form with these fields, as the standards of OAuth demand, and others are ignored (RFC 6749 s3.2).
 * Of any other route forms are refused: browsers send them for any page (CSRF).
 * @public: every user of it can be removed.
 */
export const TakesForm = (...fields: string[]): MethodDecorator =>
  applyDecorators(RouteConfig({ formFields: fields }), ApiConsumes('application/x-www-form-urlencoded'));

/** The fields of the form that the route of this configuration takes; undefined when it takes none. */
export const formFields = (config: unknown): readonly string[] | undefined =>
  (config as { readonly formFields?: readonly string[] }).formFields;
