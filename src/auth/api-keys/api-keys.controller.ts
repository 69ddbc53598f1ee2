import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Can, OpenInLockdown, StepUp } from '../../common/access/access.decorators.js';
import { CurrentPerson, type Person } from '../../common/access/principal.js';
import { IdParam } from '../../common/http/fields.js';
import { RateLimit } from '../../common/http/rate-limit.js';
import { Refuses } from '../../common/http/refusals.decorator.js';
import { apiKeyPermissions, newKeyLimits, serviceKeyPermissions } from './api-keys.access.js';
import { CreateApiKey, CreateServiceKey, SucceedApiKey } from './api-keys.dto.js';
import { ApiKeysService, type Realm } from './api-keys.service.js';
import {
  ApiKeyListView,
  NewApiKeyView,
  NewServiceKeyView,
  ServiceKeyListView,
  type ApiKeyView,
  type ServiceKeyView,
} from './api-keys.view.js';

const own = ({ userId }: Person): Realm => ({
  whose: { userId, service: null },
  permission: apiKeyPermissions.manage,
});
const ofServices: Realm = { whose: { service: { not: null } }, permission: serviceKeyPermissions.manage };

/** Keys for programs of one's own. No machine gets here: a key never makes another (abuse case A5-4). */
@ApiTags('api-keys')
@ApiBearerAuth()
@Controller('v1/api-keys')
export class ApiKeysController {
  constructor(private readonly keys: ApiKeysService) {}

  /** Makes a key. The answer shows it, this once. */
  @Post()
  @Can(apiKeyPermissions.manage)
  @StepUp()
  @RateLimit(newKeyLimits)
  @Refuses('conflict')
  @ApiCreatedResponse({ type: NewApiKeyView })
  create(@CurrentPerson() person: Person, @Body() key: CreateApiKey): Promise<NewApiKeyView> {
    return this.keys.create(person, own(person), key);
  }

  /** The caller's keys, newest first; those that ended stay for 30 days. */
  @Get()
  @Can(apiKeyPermissions.read)
  @ApiOkResponse({ type: ApiKeyListView })
  list(@CurrentPerson() person: Person): Promise<{ items: ApiKeyView[] }> {
    return this.keys.list(own(person));
  }

  /** Without a fresh sign-in: whoever fears for a key must not have to look for a second factor first. */
  @Delete(':id')
  @OpenInLockdown()
  @HttpCode(204)
  @Can(apiKeyPermissions.manage)
  @ApiNoContentResponse()
  revoke(@CurrentPerson() person: Person, @Param() { id }: IdParam): Promise<void> {
    return this.keys.revoke(person, own(person), id);
  }

  /** Makes the key that takes the place of this one. Both count for `overlapHours`. */
  @Post(':id/successor')
  @Can(apiKeyPermissions.manage)
  @StepUp()
  @RateLimit(newKeyLimits)
  @Refuses('conflict')
  @ApiCreatedResponse({ type: NewApiKeyView })
  succeed(
    @CurrentPerson() person: Person,
    @Param() { id }: IdParam,
    @Body() wanted: SucceedApiKey,
  ): Promise<NewApiKeyView> {
    return this.keys.succeed(person, own(person), id, wanted);
  }
}

/** Keys for services. Each has an administrator who answers for it, and does no more than they may. */
@ApiTags('api-keys')
@ApiBearerAuth()
@Controller('v1/service-keys')
export class ServiceKeysController {
  constructor(private readonly keys: ApiKeysService) {}

  /** Makes a key for a service. The answer shows it, this once; the caller answers for it. */
  @Post()
  @Can(serviceKeyPermissions.manage)
  @StepUp()
  @RateLimit(newKeyLimits)
  @Refuses('conflict')
  @ApiCreatedResponse({ type: NewServiceKeyView })
  create(@CurrentPerson() person: Person, @Body() key: CreateServiceKey): Promise<NewServiceKeyView> {
    return this.keys.create(person, ofServices, key) as Promise<NewServiceKeyView>;
  }

  /** Those of all administrators, newest first. */
  @Get()
  @Can(serviceKeyPermissions.read)
  @ApiOkResponse({ type: ServiceKeyListView })
  list(): Promise<{ items: ServiceKeyView[] }> {
    return this.keys.list(ofServices) as Promise<{ items: ServiceKeyView[] }>;
  }

  @Delete(':id')
  @OpenInLockdown()
  @HttpCode(204)
  @Can(serviceKeyPermissions.manage)
  @ApiNoContentResponse()
  revoke(@CurrentPerson() person: Person, @Param() { id }: IdParam): Promise<void> {
    return this.keys.revoke(person, ofServices, id);
  }

  /** Makes the key that takes the place of this one; the caller answers for it from now on. */
  @Post(':id/successor')
  @Can(serviceKeyPermissions.manage)
  @StepUp()
  @RateLimit(newKeyLimits)
  @Refuses('conflict')
  @ApiCreatedResponse({ type: NewServiceKeyView })
  succeed(
    @CurrentPerson() person: Person,
    @Param() { id }: IdParam,
    @Body() wanted: SucceedApiKey,
  ): Promise<NewServiceKeyView> {
    return this.keys.succeed(person, ofServices, id, wanted) as Promise<NewServiceKeyView>;
  }
}
