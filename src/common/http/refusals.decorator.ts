import { SetMetadata } from '@nestjs/common';
import type { GeneralProblem, ProblemType } from './problem.js';

export const REFUSALS = 'refusals';

/**
 * The problems that a handler itself can answer with, for the published document. What its other decorators bring along
 * (`@Can`, `@StepUp()`, an id in the path, a body, `@IfMatch()`), and what every route may answer, is known without
 * being named.
 */
export const Refuses = (...types: (GeneralProblem | ProblemType)[]): MethodDecorator =>
  SetMetadata(
    REFUSALS,
    types.map((type) => (typeof type === 'string' ? type : type.name)),
  );
