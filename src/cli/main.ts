import '../node-version.js';

await import('./run.js');
