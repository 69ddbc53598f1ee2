import { randomUUID } from 'node:crypto';
import { Injectable, NotFoundException } from '@nestjs/common';
import { PrismaClient } from '../../../src/generated/prisma/client.js';
import type { CreateResource, ListResources } from '../../../src/resources/resources.dto.js';
import { ownerQuota } from '../../fixture.js';
import type { SignedIn } from './auth.js';
import { FieldCipher } from './field-cipher.js';

const account = { id: true, email: true, name: true, phone: true, roles: true, createdAt: true } as const;
const whole = {
  id: true,
  ownerId: true,
  title: true,
  body: true,
  visibility: true,
  note: true,
  version: true,
  createdAt: true,
  updatedAt: true,
} as const;

@Injectable()
export class TextbookUsersService {
  constructor(
    private readonly prisma: PrismaClient,
    private readonly cipher: FieldCipher,
  ) {}

  async account({ userId }: SignedIn) {
    const user = await this.prisma.user.findUnique({ where: { id: userId }, select: account });
    if (user === null) throw new NotFoundException();
    const { email, name, phone } = user;
    return {
      ...user,
      email: this.cipher.decrypt(email),
      name: this.cipher.decrypt(name),
      phone: phone === null ? null : this.cipher.decrypt(phone),
    };
  }
}

@Injectable()
export class TextbookResourcesService {
  constructor(
    private readonly prisma: PrismaClient,
    private readonly cipher: FieldCipher,
  ) {}

  create(user: SignedIn, { note, ...resource }: CreateResource, requestId: string) {
    return this.prisma.$transaction(async (transaction) => {
      const sealed = note == null ? note : this.cipher.encrypt(note);
      const created = await transaction.resource.create({
        data: { ...resource, note: sealed, ownerId: user.userId, ownerQuota },
        select: whole,
      });
      await transaction.auditEvent.create({ data: this.auditEvent(user, created.id, requestId) });
      return { ...created, note };
    });
  }

  async list({ userId }: SignedIn, { limit = 20, cursor }: ListResources) {
    const rows = await this.prisma.resource.findMany({
      where: { ownerId: userId, ...(cursor === undefined ? {} : { id: { lt: cursor } }) },
      orderBy: { id: 'desc' },
      take: limit + 1,
      select: whole,
    });
    const items = rows
      .slice(0, limit)
      .map(({ note, ...row }) => ({ ...row, note: note === null ? null : this.cipher.decrypt(note) }));
    const previousCursor = cursor === undefined ? null : (items[0]?.id ?? null);
    return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null, previousCursor };
  }

  private auditEvent({ userId, sessionId }: SignedIn, targetId: string, requestId: string) {
    const event = {
      id: randomUUID(),
      at: new Date(),
      action: 'sensitive_create',
      outcome: 'success',
      actorId: userId,
      sessionId,
      targetType: 'resource',
      targetId,
      requestId,
      details: {},
    };
    return { ...event, macKeyId: 'audit', mac: this.cipher.mac(JSON.stringify(event)) };
  }
}
