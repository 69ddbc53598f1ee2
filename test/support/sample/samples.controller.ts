import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Can, peopleAndMachines } from '../../../src/common/access/access.decorators.js';
import { CurrentPrincipal, type Principal } from '../../../src/common/access/principal.js';
import { ApiIfMatch, Conditional, EntityTagged, IfMatch } from '../../../src/common/http/entity-tag.js';
import { IdParam } from '../../../src/common/http/fields.js';
import { samplePermissions } from './sample.policy.js';
import {
  CreateSample,
  FindSample,
  ListSamples,
  SampleListView,
  SamplePartView,
  SampleView,
  UpdateSample,
} from './samples.dto.js';
import { SamplesService } from './samples.service.js';

@ApiTags('samples')
@ApiBearerAuth()
@Controller('v1/samples')
export class SamplesController {
  constructor(private readonly samples: SamplesService) {}

  @Post()
  @Can(samplePermissions.create, { kinds: peopleAndMachines })
  @EntityTagged()
  @ApiCreatedResponse({ type: SampleView })
  create(@CurrentPrincipal() principal: Principal, @Body() sample: CreateSample): Promise<SampleView> {
    return this.samples.create(principal, sample);
  }

  @Get()
  @Can(samplePermissions.read, { kinds: peopleAndMachines })
  @ApiOkResponse({ type: SampleListView })
  list(@CurrentPrincipal() principal: Principal, @Query() query: ListSamples): Promise<SampleListView> {
    return this.samples.list(principal, query);
  }

  @Get(':id')
  @Can(samplePermissions.read, { kinds: peopleAndMachines })
  @Conditional()
  @ApiOkResponse({ type: SamplePartView })
  find(
    @CurrentPrincipal() principal: Principal,
    @Param() { id }: IdParam,
    @Query() { fields }: FindSample,
  ): Promise<SamplePartView> {
    return this.samples.find(principal, id, fields);
  }

  @Patch(':id')
  @Can(samplePermissions.update, { kinds: peopleAndMachines })
  @EntityTagged()
  @ApiIfMatch()
  @ApiOkResponse({ type: SampleView })
  update(
    @CurrentPrincipal() principal: Principal,
    @Param() { id }: IdParam,
    @IfMatch() version: number,
    @Body() changes: UpdateSample,
  ): Promise<SampleView> {
    return this.samples.update(principal, id, version, changes);
  }

  @Delete(':id')
  @Can(samplePermissions.delete, { kinds: peopleAndMachines })
  @HttpCode(204)
  @ApiIfMatch()
  @ApiNoContentResponse()
  delete(
    @CurrentPrincipal() principal: Principal,
    @Param() { id }: IdParam,
    @IfMatch() version: number,
  ): Promise<void> {
    return this.samples.delete(principal, id, version);
  }
}
