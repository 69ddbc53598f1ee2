import {
  Injectable,
  SetMetadata,
  UnauthorizedException,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard, PassportStrategy } from '@nestjs/passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { PrismaClient } from '../../../src/generated/prisma/client.js';
import { caller } from '../plain.js';

export interface SignedIn {
  readonly userId: string;
  readonly sessionId: string;
  readonly roles: readonly string[];
}

const ROLES = 'roles';
export const Roles = (...roles: string[]) => SetMetadata(ROLES, roles);

@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) {
  constructor(private readonly prisma: PrismaClient) {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKey: caller.publicKey,
      algorithms: ['ES256'],
      issuer: caller.issuer,
      audience: caller.issuer,
    });
  }

  /** Logout and disabling act at once, so session and user are read at each request. */
  async validate({ sub, sid }: { sub: string; sid: string }): Promise<SignedIn> {
    const session = await this.prisma.session.findUnique({
      where: { id: sid },
      include: { user: { select: { roles: true, status: true } } },
    });
    const isOpen =
      session !== null && session.userId === sub && session.endedAt === null && session.expiresAt > new Date();
    if (!isOpen || session.user.status !== 'active') throw new UnauthorizedException();
    return { userId: sub, sessionId: sid, roles: session.user.roles };
  }
}

@Injectable()
export class JwtAuthGuard extends AuthGuard('jwt') {}

@Injectable()
export class RolesGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const required = this.reflector.getAllAndOverride<string[] | undefined>(ROLES, [
      context.getHandler(),
      context.getClass(),
    ]);
    const { user } = context.switchToHttp().getRequest<{ user: SignedIn }>();
    return required?.some((role) => user.roles.includes(role)) ?? false;
  }
}
