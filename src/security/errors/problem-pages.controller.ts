import { applyDecorators, Controller, Get, Param, Res, type Type } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiProduces, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../../common/access/access.decorators.js';
import { Problem, problemTypes, type ProblemType } from '../../common/http/problem.js';
import { createCheckedParameter } from '../../common/http/parameters.js';
import { Refuses } from '../../common/http/refusals.decorator.js';
import { listPage, pagePolicy, problemPage } from './problem.page.js';
import { ProblemTypeListView, ProblemTypeParam, ProblemTypeView } from './problem-pages.dto.js';

type Form = 'json' | 'html';

/**
 * HTML for a caller who prefers it by `Accept`, JSON for everybody else. Whoever asks for neither is better served by
 * an answer than by a 406 (RFC 9110 section 12.4.1): clients of problem documents ask for `application/problem+json`
 * alone.
 */
const AcceptedForm = createCheckedParameter(({ headers }): Form => {
  const accept = headers.accept ?? '*/*';
  return weightOf('text', 'html', accept) > weightOf('application', 'json', accept) ? 'html' : 'json';
});

/** The weight of the most specific range that matches (RFC 9110 section 12.5.1); what is no weight counts as none. */
function weightOf(type: string, subtype: string, accept: string): number {
  const weights = new Map<string, number>();
  for (const range of accept.toLowerCase().split(',')) {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim());
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
    weights.set(name, /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight) : 0);
  }
  return weights.get(`${type}/${subtype}`) ?? weights.get(`${type}/*`) ?? weights.get('*/*') ?? 0;
}

/**
 * Two forms of one answer. The page is no view, so the whole is declared as a file: both are made of the registry
 * alone.
 */
const InBothForms = (view: Type) =>
  applyDecorators(
    ApiExtraModels(view),
    ApiProduces('application/json', 'text/html'),
    ApiOkResponse({
      description: 'JSON, or a page for people',
      content: {
        'application/json': { schema: { $ref: getSchemaPath(view) } },
        'text/html': { schema: { type: 'string' } },
      },
    }),
  );

/** What `type` of a problem document leads to: what went wrong, and what the caller can do (RFC 9457 section 3.1.1). */
@ApiTags('problems')
@Controller('problems')
export class ProblemPagesController {
  @Get()
  @Public()
  @InBothForms(ProblemTypeListView)
  list(@AcceptedForm() form: Form, @Res({ passthrough: true }) reply: FastifyReply): ProblemTypeListView | string {
    const items = problemTypes().map(viewOf);
    return inForm(form, reply, { items }, () => listPage(items));
  }

  @Get(':type')
  @Public()
  @InBothForms(ProblemTypeView)
  @Refuses('not-found')
  find(
    @Param() { type }: ProblemTypeParam,
    @AcceptedForm() form: Form,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): ProblemTypeView | string {
    const found = problemTypes().find(({ name }) => name === type);
    if (found === undefined) throw new Problem('not-found');
    const problem = viewOf(found);
    return inForm(form, reply, problem, () => problemPage(problem));
  }
}

const viewOf = ({ name, title, status, cause, remedy }: ProblemType): ProblemTypeView => ({
  type: `/problems/${name}`,
  title,
  status,
  cause,
  remedy,
});

function inForm<View>(form: Form, reply: FastifyReply, view: View, page: () => string): View | string {
  // Added to what CORS says there: one address has two answers.
  reply.header('vary', [reply.getHeader('vary'), 'Accept'].filter(Boolean).join(', '));
  if (form === 'json') return view;
  reply.header('content-type', 'text/html; charset=utf-8').header('content-security-policy', pagePolicy);
  return page();
}
