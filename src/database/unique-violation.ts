import { Prisma } from '../generated/prisma/client.js';

/**
 * True when a statement was refused because another row has the value that must be unique: somebody else was faster.
 */
export const isUniqueViolation = (error: unknown): boolean =>
  error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
