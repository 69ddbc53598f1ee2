import type { Config } from '../../config/index.js';

export const mount = '/oauth';

/** Another one than that of people's tokens: neither passes for the other. */
export const issuerOf = ({ publicUrl }: Config): string => `${publicUrl}${mount}`;
