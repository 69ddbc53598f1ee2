// The same practices as their packages' documentation shows them: what a careful team writes in its first week.
import 'reflect-metadata';
import helmet from '@fastify/helmet';
import { ClassSerializerInterceptor, Module, ValidationPipe } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { PassportModule } from '@nestjs/passport';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { configFromEnvironment } from '../../src/config/index.js';
import { PrismaClient } from '../../src/generated/prisma/client.js';
import { createPlainApp, openPlainDatabase, seed, serve } from './plain.js';
import { JwtAuthGuard, JwtStrategy, RolesGuard } from './textbook/auth.js';
import { FieldCipher } from './textbook/field-cipher.js';
import { TextbookResourcesController, TextbookUsersController } from './textbook/controllers.js';
import { TextbookResourcesService, TextbookUsersService } from './textbook/services.js';

const config = configFromEnvironment();
const plain = await openPlainDatabase(config);
const cipher = new FieldCipher();
await seed(plain.client, (text) => cipher.encrypt(text));

// The built-in storage keeps the time of every hit of a window in a list, which is filtered at each request. Under the
// real limits a list has at most 600 entries; a window of one second keeps it near that although nobody is refused
// here.
const window = { ttl: 1000, limit: 1_000_000 };

@Module({
  imports: [
    ThrottlerModule.forRoot([
      { name: 'network', ...window },
      { name: 'user', ...window },
    ]),
    PassportModule,
  ],
  controllers: [TextbookUsersController, TextbookResourcesController],
  providers: [
    { provide: PrismaClient, useValue: plain.client },
    { provide: FieldCipher, useValue: cipher },
    JwtStrategy,
    TextbookUsersService,
    TextbookResourcesService,
    { provide: APP_GUARD, useClass: ThrottlerGuard },
    { provide: APP_GUARD, useClass: JwtAuthGuard },
    { provide: APP_GUARD, useClass: RolesGuard },
    {
      provide: APP_PIPE,
      useValue: new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }),
    },
    { provide: APP_INTERCEPTOR, useClass: ClassSerializerInterceptor },
  ],
})
class TextbookModule {}

const redact = [
  'req.headers.authorization',
  'req.headers.cookie',
  'res.headers["set-cookie"]',
  '*.password',
  '*.email',
  '*.note',
];

const app = await createPlainApp(TextbookModule, config, { logger: { level: 'info', redact } });
await app.register(helmet);
app.enableCors({ origin: ['https://app.example.org'] });
await serve(app, config, plain);
