import { Injectable } from '@nestjs/common';

/** The only source of the time for rules (expiry, grace, windows). Tests move it; nothing else is faked. */
@Injectable()
export class Clock {
  now(): Date {
    return new Date();
  }
}
