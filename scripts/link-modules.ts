import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The scope of the packages in packages/. */
const ours = '@nestjs-secure-template';

/** Gives a copy of the project the packages that are installed here, and its own copies of those in packages/. */
export function linkModules(copy: string): void {
  const modules = join(copy, 'node_modules');
  mkdirSync(join(modules, ours), { recursive: true });
  for (const entry of readdirSync('node_modules')) {
    if (entry !== ours) symlinkSync(resolve('node_modules', entry), join(modules, entry));
  }
  for (const name of readdirSync('packages')) symlinkSync(resolve(copy, 'packages', name), join(modules, ours, name));
}
