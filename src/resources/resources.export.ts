import { defineExportSection, notExported } from '../common/events/personal-data.js';
import { ViewField } from '../common/http/view.js';
import { id, time, text, maybe } from '../common/http/view-kinds.js';

class ExportedShareView {
  @ViewField(id)
  userId: string;

  @ViewField(text)
  role: string;

  @ViewField(time)
  createdAt: Date;
}

class ExportedResourceView {
  @ViewField(id)
  id: string;

  @ViewField(text)
  title: string;

  @ViewField(text)
  body: string;

  @ViewField(text)
  visibility: string;

  @ViewField({ ...text, ...maybe })
  note: string | null;

  @ViewField({ type: 'integer' })
  version: number;

  @ViewField(time)
  createdAt: Date;

  @ViewField(time)
  updatedAt: Date;

  @ViewField({ view: () => ExportedShareView, many: true })
  shares: ExportedShareView[];
}

class ReceivedShareView {
  @ViewField(id)
  resourceId: string;

  @ViewField(text)
  role: string;

  @ViewField(time)
  createdAt: Date;
}

export const resourcesSection = defineExportSection('resources', {
  view: () => ExportedResourceView,
  many: true,
  description: 'Own resources, with notes, and with whom they are shared.',
  models: ['Resource'],
});

export const receivedSection = defineExportSection('received', {
  view: () => ReceivedShareView,
  many: true,
  description: 'Shares of others with the caller.',
  models: ['ResourceShare'],
});

notExported('ResourceCount', 'nothing but the number of resources, which has a section');
