import { declareSettings, path } from '../../config/index.js';

export const detectionSettings = declareSettings({
  DETECTION_RULES_FILE: {
    group: 'Detection (practice 10.3)',
    description:
      'YAML or JSON file that changes rules of detection, turns them off or adds some: docs/practices/detection.md. ' +
      'Not set: the rules as they are.',
    example: '/etc/app/detection.yaml',
    parse: path,
  },
});
