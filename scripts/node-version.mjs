// Loaded before the scripts, which an older Node cannot read: they are TypeScript.
if (Number(process.versions.node.split('.')[0]) < 26) {
  process.stderr.write(
    `Node 26 is needed, this is v${process.versions.node}: use the npm scripts, or install Node 26\n`,
  );
  process.exit(1);
}
