import { Prisma } from '../generated/prisma/client.js';

/**
 * False when no row met the conditions of an `update`, for those that cannot be an `updateMany` because they write a
 * sealed field.
 */
export const isChanged = (update: PromiseLike<unknown>): Promise<boolean> =>
  Promise.resolve(update).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2025') return false;
      throw error;
    },
  );
