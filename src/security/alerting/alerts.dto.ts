import { Matches } from 'class-validator';
import { ApiProperty } from '@nestjs/swagger';
import { PageQuery, PageView } from '../../common/http/cursors.js';
import { ChoiceField, OptionalField } from '../../common/http/fields.js';
import { id, maybe, text, time } from '../../common/http/view-kinds.js';
import { ViewField } from '../../common/http/view.js';

const states = ['open', 'acknowledged'] as const;
const severities = ['critical', 'warning', 'info'] as const;
const ruleName = /^[a-z][a-z0-9_]{2,63}$/;

export class ListAlerts extends PageQuery {
  @OptionalField()
  @ChoiceField(states)
  state?: (typeof states)[number];

  @OptionalField()
  @ChoiceField(severities)
  severity?: (typeof severities)[number];

  @OptionalField()
  @ApiProperty({ type: 'string', pattern: ruleName.source, example: 'account_failures' })
  @Matches(ruleName)
  rule?: string;
}

class AlertFactView {
  @ViewField(text)
  name: string;

  @ViewField(text)
  value: string;
}

export class AlertView {
  @ViewField(id)
  id: string;

  @ViewField(text)
  rule: string;

  @ViewField({ ...text, enum: [...severities] })
  severity: string;

  @ViewField({ ...text, description: 'What it is about: an account id, a network, a session, a route.' })
  key: string;

  @ViewField(text)
  summary: string;

  @ViewField({ ...text, description: 'Name of the page that says what to do.' })
  runbook: string;

  @ViewField({ view: () => AlertFactView, many: true, description: 'Ids and counts of the newest one.' })
  details: AlertFactView[];

  @ViewField({ type: 'integer' })
  count: number;

  @ViewField(time)
  firstAt: Date;

  @ViewField(time)
  lastAt: Date;

  @ViewField({ ...id, ...maybe })
  acknowledgedBy: string | null;

  @ViewField({ ...time, ...maybe })
  acknowledgedAt: Date | null;
}

export class AlertListView extends PageView {
  @ViewField({ view: () => AlertView, many: true })
  items: AlertView[];
}
