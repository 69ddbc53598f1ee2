import { defineExportSection } from '../../common/events/personal-data.js';
import { IdentityView } from './oidc.view.js';

export const identitiesSection = defineExportSection('federatedIdentities', {
  view: () => IdentityView,
  many: true,
  description: 'Other services that can sign the person in.',
  models: ['FederatedIdentity'],
});
