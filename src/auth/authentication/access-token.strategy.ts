import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import passport from 'passport';
import { Strategy } from 'passport-jwt';
import { CONFIG, type Config } from '../../config/index.js';
import { AccessTokens, type AccessClaims } from './access-tokens.js';
import { bearerToken } from './bearer-token.js';

/** passport-jwt, with everything pinned that a token could choose for itself: RFC 8725, ASVS v5.0.0-9.1.2 to 9.2.3. */
@Injectable()
export class AccessTokenStrategy extends PassportStrategy(Strategy, 'jwt') {
  /** Passport's registry is one for the process; two apps in it must not check each other's tokens. */
  readonly registeredAs = `jwt-${randomUUID()}`;

  constructor(
    private readonly tokens: AccessTokens,
    @Inject(CONFIG) { publicUrl }: Config,
  ) {
    super({
      jwtFromRequest: (request: FastifyRequest) => bearerToken(request) ?? null,
      secretOrKeyProvider: (_: FastifyRequest, token: string, done: (error: unknown, key?: Buffer) => void) => {
        try {
          // jsonwebtoken takes a KeyObject as it is, and only parses other forms at each request; its types lag behind.
          done(null, tokens.keyOf(token).publicKey as unknown as Buffer);
        } catch (error) {
          done(error);
        }
      },
      algorithms: ['ES256'],
      issuer: publicUrl,
      audience: publicUrl,
      passReqToCallback: true,
    });
    passport.use(this.registeredAs, this);
  }

  /** Called with a genuine signature, issuer and audience. @throws CredentialRefused */
  validate(request: FastifyRequest): AccessClaims {
    return this.tokens.claimsOf(bearerToken(request) ?? '');
  }
}
