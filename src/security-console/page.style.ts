export const consoleStyle = `:root {
  color-scheme: light dark; --line: light-dark(#d7dbe2, #3a4150); --soft: light-dark(#5b6472, #a3adbd);
  --card: light-dark(#fff, #1a1f28); --accent: light-dark(#1f57c3, #7aa5ff); --bad: light-dark(#b3261e, #ff8a80);
  --warn: light-dark(#8a5a00, #ffc766); --good: light-dark(#1b6e3c, #7bd88f);
}
* { box-sizing: border-box; }
body {
  margin: 0; font: 15px/1.45 system-ui, sans-serif; background: light-dark(#f3f5f8, #12151b);
  color: light-dark(#1a1f28, #e7eaf0);
}
header { display: flex; align-items: center; gap: 1rem; padding: 1rem 1.5rem; }
h1 { margin: 0; font-size: 1.3rem; }
h2 { margin: 0 0 0.75rem; font-size: 1rem; }
#state { margin-left: auto; color: var(--soft); }
#state.fault { color: var(--bad); }
main { display: grid; gap: 1rem; padding: 0 1.5rem 1.5rem; }
section {
  padding: 1rem 1.25rem; overflow-x: auto; border: 1px solid var(--line); border-radius: 12px; background: var(--card);
}
.pair { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); }
#charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); }
figure { margin: 0; }
figcaption { display: flex; justify-content: space-between; font-size: 0.85rem; color: var(--soft); }
figcaption b { white-space: nowrap; color: light-dark(#1a1f28, #e7eaf0); font-variant-numeric: tabular-nums; }
svg { display: block; width: 100%; height: 4rem; border-bottom: 1px solid var(--line); }
svg path { fill: none; stroke: var(--accent); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
figure.bad path { stroke: var(--bad); }
figure.warn path { stroke: var(--warn); }
figure.good path { stroke: var(--good); }
table { width: 100%; border-collapse: collapse; font-size: 0.875rem; }
th { text-align: left; font-weight: 600; color: var(--soft); }
th, td { padding: 0.3rem 0.75rem 0.3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.critical { font-weight: 600; color: var(--bad); }
.warning { color: var(--warn); }
code { font: 0.9em ui-monospace, monospace; overflow-wrap: anywhere; }
button {
  padding: 0.4rem 1rem; font: inherit; color: inherit; background: transparent; border: 1px solid var(--line);
  border-radius: 8px; cursor: pointer;
}
button:focus-visible, a:focus-visible, section:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 0.5rem; padding: 0.4rem 1rem; background: var(--card); }
`;
