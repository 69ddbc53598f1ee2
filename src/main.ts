import 'reflect-metadata';
import { banner } from './banner.js';
import { bootFailure } from './boot-failure.js';
import type { Config } from './config/index.js';
import { onStopSignal, signalExitCode } from './stop-signals.js';

// Platforms without the packaged runtime fall back to the system's Node, and `engines` only warns.
if (Number(process.versions.node.split('.')[0]) < 26) {
  process.stderr.write(`Node 26 is needed, this is ${process.version}: use the npm scripts, or install Node 26\n`);
  process.exit(1);
}

// Whoever reads the output may go away (EPIPE), and the disk behind it may be full: that ends no service.
for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined);

let config: Config | undefined;
let end: ((code: number) => void) | undefined;
// Heard from the start: the first process of a container is deaf to signals that it does not listen to.
onStopSignal((signal) => {
  if (end !== undefined) return end(0);
  process.stderr.write(`${signal}: ended before the service listened\n`);
  process.exit(signalExitCode(signal));
});
try {
  // First the table: what it lists declares variables of its own.
  const { createService } = await import('./app.js');
  const { configFromEnvironment } = await import('./config/index.js');
  config = configFromEnvironment();
  const { installCrashHandlers } = await import('./security/errors/index.js');
  const { Drain } = await import('./security/transport/index.js');
  const service = await createService(config);
  const drain = service.app.get(Drain, { strict: false });
  const addresses = await service.listen();
  process.stderr.write(banner(config, addresses));
  const { shutdownTimeoutSeconds } = config;
  let exitCode = 0;
  let stopping: Promise<void> | undefined;
  end = (code) => {
    // The highest: what broke while a signal ended the service is no orderly end. Not `process.exitCode`, which the
    // embedded database sets as well.
    exitCode = Math.max(exitCode, code);
    stopping ??= stop(service.close(), drain, shutdownTimeoutSeconds, () => exitCode);
  };
  installCrashHandlers(() => end?.(1));
  service.onFailure((error) => {
    process.stderr.write(`${bootFailure(error, config)}\n`);
    process.exit(1);
  });
} catch (error) {
  process.stderr.write(`The service did not start: ${bootFailure(error, config)}\n`);
  process.exit(1);
}

/**
 * Leaves with the exit code when every complete request got its answer. Transport cuts what is left a few seconds
 * before, so the time is up here only when the service itself hangs.
 */
async function stop(
  closed: Promise<void>,
  drain: { readonly unanswered: number },
  seconds: number,
  exitCode: () => number,
): Promise<void> {
  setTimeout(() => {
    process.stderr.write(`the service did not close within ${seconds} s: it stops as it is\n`);
    process.exit(1);
  }, seconds * 1000);
  try {
    await closed;
    const { unanswered } = drain;
    if (unanswered > 0) process.stderr.write(`the time was up: ${unanswered} complete requests got no answer\n`);
    process.exit(unanswered > 0 ? 1 : exitCode());
  } catch (error) {
    process.stderr.write(`the service did not stop cleanly: ${bootFailure(error)}\n`);
    process.exit(1);
  }
}
