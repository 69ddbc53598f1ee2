import { Body, Controller, Delete, HttpCode, Injectable, Module, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { factorPermissions, proofLimits } from '../../../src/auth/factors/factors.access.js';
import { factorRemoved } from '../../../src/auth/factors/factors.events.js';
import { FactorsService } from '../../../src/auth/factors/factors.service.js';
import { declareSecondFactor, SecondFactors } from '../../../src/auth/factors/second-factors.js';
import { SessionsModule } from '../../../src/auth/sessions/sessions.module.js';
import { SignedInView, TokensView } from '../../../src/auth/sessions/sessions.dto.js';
import { BeforeSecondFactor, Can, StepUp } from '../../../src/common/access/access.decorators.js';
import { CurrentPerson, type Person } from '../../../src/common/access/principal.js';
import { CarriesCookie } from '../../../src/common/http/cookies.js';
import { DigitsField } from '../../../src/common/http/fields.js';
import { RateLimit } from '../../../src/common/http/rate-limit.js';
import { Refuses } from '../../../src/common/http/refusals.decorator.js';
import { ViewField } from '../../../src/common/http/view.js';
import { Database } from '../../../src/database/index.js';

const sampleFactor = declareSecondFactor({ name: 'sample', label: 'a number that does not change', method: 'pin' });

class SampleCode {
  @DigitsField({ length: 6 })
  code: string;
}

class SampleFactorView {
  @ViewField({ type: 'array', items: { type: 'string' }, nullable: true })
  recoveryCodes: string[] | null;

  @ViewField({ view: () => TokensView, nullable: true })
  tokens: TokensView | null;
}

/** Which number somebody has enrolled, if any. Plain SQL: the table is none of the product's schema. */
@Injectable()
class SampleFactors {
  constructor(private readonly database: Database) {}

  async codeOf(userId: string): Promise<string | undefined> {
    const [row] = await this.database.client.$queryRaw<{ code: string }[]>`
      SELECT code FROM sample_factors WHERE user_id = ${userId}::uuid`;
    return row?.code;
  }

  async store(userId: string, code: string): Promise<void> {
    await this.database.client.$executeRaw`
      INSERT INTO sample_factors (user_id, code) VALUES (${userId}::uuid, ${code})`;
  }

  async delete(userId: string): Promise<void> {
    await this.database.client.$executeRaw`DELETE FROM sample_factors WHERE user_id = ${userId}::uuid`;
  }
}

@ApiTags('auth')
@ApiBearerAuth()
@Controller('v1/auth/sample-factor')
class SampleFactorController {
  constructor(
    private readonly factors: FactorsService,
    private readonly stored: SampleFactors,
  ) {}

  @Post()
  @Can(factorPermissions.manage)
  @StepUp()
  @BeforeSecondFactor('enrolment')
  @CarriesCookie()
  @Refuses('conflict')
  @ApiCreatedResponse({ type: SampleFactorView })
  async enrol(@CurrentPerson() principal: Person, @Body() { code }: SampleCode): Promise<SampleFactorView> {
    const store = () => this.stored.store(principal.userId, code);
    const { recoveryCodes, tokens } = await this.factors.enrol(principal, sampleFactor, store);
    return { recoveryCodes, tokens };
  }

  @Post('verify')
  @HttpCode(200)
  @Can(factorPermissions.prove)
  @BeforeSecondFactor()
  @CarriesCookie()
  @RateLimit(proofLimits)
  @Refuses('conflict')
  @ApiOkResponse({ type: SignedInView })
  verify(@CurrentPerson() principal: Person, @Body() { code }: SampleCode): Promise<SignedInView> {
    return this.factors.prove(principal, sampleFactor, async () =>
      (await this.stored.codeOf(principal.userId)) === code ? undefined : 'wrong',
    );
  }

  @Delete()
  @HttpCode(204)
  @Can(factorPermissions.manage)
  @StepUp()
  @ApiNoContentResponse()
  remove(@CurrentPerson() principal: Person): Promise<void> {
    const event = { action: factorRemoved, details: { factor: sampleFactor.name } };
    return this.factors.change(principal, event, () => this.stored.delete(principal.userId));
  }
}

/**
 * The second factor that the tests of the practices act upon, so that they stay when the methods of the service go:
 * `startApp({ modules: [SampleFactorModule] })`. A number that does not change is enough to tell half a sign-in from a
 * whole one, and no more: it is no model of a factor.
 */
@Module({ imports: [SessionsModule], controllers: [SampleFactorController], providers: [SampleFactors] })
export class SampleFactorModule {
  constructor(factors: SecondFactors, stored: SampleFactors) {
    factors.add(sampleFactor, async (userId) => (await stored.codeOf(userId)) !== undefined);
  }
}
