import { randomUUIDv7 } from 'node:crypto';
import { Body, Controller, Module, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse } from '@nestjs/swagger';
import { Can } from '../../src/common/access/access.decorators.js';
import { CurrentPrincipal, type Principal } from '../../src/common/access/principal.js';
import { EntityTagged } from '../../src/common/http/entity-tag.js';
import { Refuses } from '../../src/common/http/refusals.decorator.js';
import { RequestHeaders } from '../../src/common/http/parameters.js';
import { serialize } from '../../src/common/http/view.js';
import { Idempotency, IdempotentRequest, keyReused } from '../../src/idempotency/index.js';
import { samplePermissions } from '../support/sample/sample.policy.js';
import { CreateSample, SampleView } from '../support/sample/samples.dto.js';
import { SamplesModule } from '../support/sample/samples.module.js';
import { SamplesRepository } from '../support/sample/samples.repository.js';
import { SamplesService } from '../support/sample/samples.service.js';

/** Makes a sample as a feature does that takes an Idempotency-Key. */
@ApiBearerAuth()
@Controller('v1/idempotent-samples')
class IdempotentSamplesController {
  constructor(
    private readonly service: SamplesService,
    private readonly samples: SamplesRepository,
    private readonly idempotency: Idempotency,
  ) {}

  @Post()
  @Can(samplePermissions.create)
  @Refuses('conflict', keyReused)
  @EntityTagged()
  @ApiCreatedResponse({ type: SampleView })
  async create(
    @CurrentPrincipal() principal: Principal,
    @RequestHeaders() headers: IdempotentRequest,
    @Body() body: CreateSample,
  ): Promise<SampleView> {
    const id = randomUUIDv7();
    const made = await this.idempotency.once(principal, {
      route: 'POST /v1/idempotent-samples',
      headers,
      body,
      id,
      make: (first) => this.service.create(principal, body, { id, first }),
      find: async (earlier) => (await this.samples.find(principal, earlier)) ?? null,
    });
    return serialize(SampleView, { relation: 'owner' }, made);
  }
}

@Module({ imports: [SamplesModule], controllers: [IdempotentSamplesController] })
export class IdempotentSamplesModule {}
