/** Of the pages below `/docs` that are ours. */
export const pagesStyle = `:root {
  color-scheme: light dark; --line: light-dark(#d7dbe2, #3a4150); --soft: light-dark(#5b6472, #a3adbd);
  --accent: light-dark(#1f57c3, #7aa5ff);
}
* { box-sizing: border-box; }
[hidden] { display: none; }
body {
  margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
  font: 16px/1.5 system-ui, sans-serif; background: light-dark(#f3f5f8, #12151b);
  color: light-dark(#1a1f28, #e7eaf0);
}
main {
  width: 100%; max-width: 26rem; padding: 2rem; border: 1px solid var(--line); border-radius: 14px;
  background: light-dark(#fff, #1a1f28); box-shadow: 0 8px 30px rgb(0 0 0 / 8%);
}
h1 { margin: 0; font-size: 1.5rem; }
h2 { margin: 1.25rem 0 0.5rem; font-size: 1rem; }
.lead { margin: 0.25rem 0 1.25rem; color: var(--soft); }
output { display: block; min-height: 1.5rem; margin-bottom: 1rem; color: var(--soft); }
output.fault { color: light-dark(#b3261e, #ff8a80); }
form { display: grid; gap: 0.75rem; }
label { display: grid; gap: 0.25rem; font-size: 0.875rem; color: var(--soft); }
input {
  padding: 0.6rem 0.75rem; font: inherit; font-size: 1rem; color: light-dark(#1a1f28, #e7eaf0);
  background: transparent; border: 1px solid var(--line); border-radius: 8px;
}
button {
  width: 100%; padding: 0.65rem 1rem; font: inherit; font-weight: 600; color: light-dark(#fff, #10131a);
  background: var(--accent); border: 1px solid var(--accent); border-radius: 8px; cursor: pointer;
}
button.quiet { color: inherit; background: transparent; border-color: var(--line); }
button:focus-visible, input:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.divider { margin: 0.75rem 0; text-align: center; color: var(--soft); }
ul { margin: 0 0 1rem; padding: 0; list-style: none; }
li {
  display: flex; justify-content: space-between; gap: 1rem; padding: 0.5rem 0; border-bottom: 1px solid var(--line);
}
pre {
  margin: 0; padding: 0.75rem; overflow-x: auto; font: 0.875rem/1.6 ui-monospace, monospace;
  border: 1px solid var(--line); border-radius: 8px;
}
#recovery p { margin: 0 0 0.5rem; font-size: 0.875rem; color: var(--soft); }
li small { color: var(--soft); }
#sign-out { margin-top: 0.75rem; }
#providers, #links { display: grid; gap: 0.75rem; }
#identities li { flex-wrap: wrap; align-items: center; }
#identities button { width: auto; padding: 0.25rem 0.75rem; }
main.wide { max-width: 52rem; align-self: start; }
#resources li { display: block; padding: 0; border: 0; margin-bottom: 0.5rem; }
select {
  padding: 0.6rem 0.75rem; font: inherit; color: inherit; background: transparent; border: 1px solid var(--line);
  border-radius: 8px;
}
article { margin-top: 1.5rem; padding-top: 1rem; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
article h1, article h2 { margin: 1rem 0 0.5rem; font-size: 1.25rem; }
article ul, article ol { padding-left: 1.5rem; list-style: revert; }
article li { display: list-item; padding: 0.1rem 0; border: 0; }
article a { color: var(--accent); }
article code { font: 0.875em ui-monospace, monospace; }
article table { border-collapse: collapse; }
article th, article td { padding: 0.35rem 0.75rem; border: 1px solid var(--line); }
article blockquote { margin: 0; padding-left: 1rem; border-left: 3px solid var(--line); color: var(--soft); }
`;
