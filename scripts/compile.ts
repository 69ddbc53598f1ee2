// Compiles file by file, without a look at types: decorators and their metadata are all that Node's own type stripping
// lacks.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

export interface Compilation {
  /** What is compiled, and how. */
  readonly project: string;
  /** What lies here ends up directly under `output`. */
  readonly root: string;
  /**
   * Replaced when everything is compiled: a process that still runs from it, or a run that is killed, finds no half.
   */
  readonly output: string;
  /** Files beside those of the project. */
  readonly further?: readonly string[];
}

/** Strips the types of a project and of further files, with source maps. */
export function compile({ project, root, output, further = [] }: Compilation): void {
  const { config } = ts.readConfigFile(project, (file) => readFileSync(file, 'utf8')) as {
    config: unknown;
  };
  const { options: configured, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, dirname(project));
  // One file at a time, the compiler cannot look up that the package is ESM: say it.
  const options = { ...configured, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler };
  const unfinished = `${output}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  for (const file of [...fileNames, ...further]) {
    const { outputText, sourceMapText } = ts.transpileModule(readFileSync(file, 'utf8'), {
      compilerOptions: options,
      fileName: file,
    });
    const target = join(unfinished, relative(root, file)).replace(/\.ts$/, '.js');
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
    if (sourceMapText !== undefined) writeFileSync(`${target}.map`, sourceMapText);
  }
  rmSync(output, { recursive: true, force: true });
  renameSync(unfinished, output);
}
