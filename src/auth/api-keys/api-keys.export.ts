import { defineExportSection } from '../../common/events/personal-data.js';
import { maybe, text } from '../../common/http/view-kinds.js';
import { ViewField } from '../../common/http/view.js';
import { ApiKeyView } from './api-keys.view.js';

class ExportedApiKeyView extends ApiKeyView {
  @ViewField({ ...text, ...maybe, description: 'The service for which the key was made.' })
  service: string | null;
}

export const apiKeysSection = defineExportSection('apiKeys', {
  view: () => ExportedApiKeyView,
  many: true,
  description: 'API keys, without what could be used as one.',
  models: ['ApiKey'],
});
