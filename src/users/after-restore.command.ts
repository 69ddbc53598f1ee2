import { Progress, withServices, type Command } from '../cli/index.js';
import { ErasureService } from './erasure.service.js';

/** A backup brings erased people back. The boot refuses until this has erased them again. */
export const dbAfterRestore: Command = {
  name: 'db:after-restore',
  usage: '',
  description: 'Repeats the erasures that a restored backup has undone.',
  run: (config) =>
    withServices(config, async (app) => {
      const progress = new Progress('erasing again');
      const count = await app.get(ErasureService).repeat((done, total) => progress.show(done, total));
      progress.end();
      process.stdout.write(`${count} erasures repeated; the service can start\n`);
      return 0;
    }),
};
