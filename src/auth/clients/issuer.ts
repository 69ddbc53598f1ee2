import type { Config } from '../../config/index.js';

export const mount = '/oauth';

/** Another one than that of people's tokens: neither passes for the other. */
export const issuerOf = ({ publicUrl }: Config): string => `${publicUrl}${mount}`;

/** RFC 8414 s3.1: the well-known part stands before the path of the issuer. */
export const metadataPath = `/.well-known/oauth-authorization-server${mount}`;
