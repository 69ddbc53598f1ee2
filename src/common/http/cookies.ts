import { RouteConfig } from '@nestjs/platform-fastify';

/**
 * Marks a route that sets or reads a cookie: pages of the listed origins may call it in credentials mode, and no other
 * route (the security headers ask for the mark).
 */
export const CarriesCookie = () => RouteConfig({ carriesCookie: true });

/** Whether the configuration of a Fastify route has the mark. */
export const carriesCookie = (config: unknown): boolean =>
  (config as { carriesCookie?: unknown } | undefined)?.carriesCookie === true;
