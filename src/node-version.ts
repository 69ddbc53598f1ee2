// Imported before everything else, and the rest dynamically after it: an older Node fails on the imports of the rest,
// and says neither cause nor fix. Platforms without the packaged runtime fall back to the system's Node, and `engines`
// only warns.
if (Number(process.versions.node.split('.')[0]) < 26) {
  process.stderr.write(
    `Node 26 is needed, this is v${process.versions.node}: use the npm scripts, or install Node 26\n`,
  );
  process.exit(1);
}
