import { applyDecorators, Controller, Get, Param, Res, type Type } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiProduces, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../../common/access.decorators.js';
import { Problem, problemTypes, type ProblemType } from '../../common/problem.js';
import { Refuses } from '../../common/refusals.decorator.js';
import { AcceptedForm, type Form } from './accepted-form.js';
import { listPage, pagePolicy, problemPage } from './problem.page.js';
import { ProblemTypeListView, ProblemTypeParam, ProblemTypeView } from './problem-pages.dto.js';

/** Two forms of one answer. The page is no view, so the whole is declared as a file: both are made of the registry alone. */
const InBothForms = (view: Type) =>
  applyDecorators(
    ApiExtraModels(view),
    ApiProduces('application/json', 'text/html'),
    ApiOkResponse({
      description: 'JSON, or a page for people',
      content: { 'application/json': { schema: { $ref: getSchemaPath(view) } }, 'text/html': { schema: { type: 'string' } } },
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
    return inForm(form, reply, { items: problems }, () => listPage(problems));
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
    const problem = problems.find((one) => one.type === `/problems/${type}`);
    if (problem === undefined) throw new Problem('not-found');
    return inForm(form, reply, problem, () => problemPage(problem));
  }
}

const problems: ProblemTypeView[] = (Object.keys(problemTypes) as ProblemType[]).map((slug) => {
  const { title, status, cause, remedy } = problemTypes[slug];
  return { type: `/problems/${slug}`, title, status, cause, remedy };
});

function inForm<View>(form: Form, reply: FastifyReply, view: View, page: () => string): View | string {
  // Added to what CORS says there: one address has two answers.
  reply.header('vary', [reply.getHeader('vary'), 'Accept'].filter(Boolean).join(', '));
  if (form === 'json') return view;
  reply.header('content-type', 'text/html; charset=utf-8').header('content-security-policy', pagePolicy);
  return page();
}
