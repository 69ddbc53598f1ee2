/** Everything that came over the wire is written as text, never as HTML (practice 3.3). */
export const consoleScript = `const byId = (id) => document.getElementById(id);
const seconds = new Map();
const width = 600;
const charts = [
  { field: 'served', title: 'Served', kind: 'good' },
  { field: 'refused', title: 'Refused (4xx)', kind: 'warn' },
  { field: 'limited', title: 'Limited (429)', kind: 'warn' },
  { field: 'failed', title: 'Failed (5xx, broken off)', kind: 'bad' },
  { field: 'signIns', title: 'Sign-ins', kind: 'good' },
  { field: 'failedSignIns', title: 'Failed sign-ins', kind: 'bad' },
  { field: 'slowest', title: 'Slowest answer (ms)', kind: 'plain' },
];

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className !== undefined) made.className = className;
  return made;
}

const svg = (name) => document.createElementNS('http://www.w3.org/2000/svg', name);

for (const chart of charts) {
  const figure = element('figure', undefined, chart.kind);
  const caption = element('figcaption', chart.title);
  chart.value = element('b', '0');
  caption.append(chart.value);
  chart.picture = svg('svg');
  chart.picture.setAttribute('viewBox', '0 0 ' + width + ' 100');
  chart.picture.setAttribute('preserveAspectRatio', 'none');
  chart.picture.setAttribute('role', 'img');
  chart.line = svg('path');
  chart.picture.append(chart.line);
  figure.append(chart.picture, caption);
  byId('charts').append(figure);
}

function draw(now) {
  for (const { field, title, value, picture, line } of charts) {
    const values = Array.from({ length: width }, (_, index) => seconds.get(now - width + index + 1)?.[field] ?? 0);
    const highest = Math.max(1, ...values);
    const points = values.map((each, index) => index + ' ' + (98 - (96 * each) / highest).toFixed(1));
    line.setAttribute('d', 'M' + points.join('L'));
    const last = values.at(-1);
    value.textContent = last + ' (highest ' + Math.max(...values) + ')';
    picture.setAttribute('aria-label', title + ': ' + value.textContent + ' per second');
  }
}

function rows(id, items, cellsOf, none) {
  const made = items.map((item) => {
    const row = element('tr');
    row.append(...cellsOf(item));
    return row;
  });
  if (made.length === 0 && none !== undefined) return;
  byId(id).replaceChildren(...made);
}

const showAlerts = (alerts) =>
  rows('alert-rows', alerts, ({ at, severity, rule, key, summary, runbook }) => {
    const name = element('td');
    name.append(element('code', rule));
    return [
      element('td', new Date(at).toLocaleTimeString()),
      element('td', severity, severity),
      name,
      element('td', key),
      element('td', summary),
      element('td', runbook),
    ];
  }, 'keep');

const showEvents = (events) =>
  rows('event-rows', events.slice(0, 25), ({ event, count }) => [
    element('td', event), element('td', String(count), 'number'),
  ]);

function age(name, value) {
  if (!/_seconds$/.test(name)) return String(value);
  const units = [['d', 86400], ['h', 3600], ['min', 60]];
  const [unit, size] = units.find(([, one]) => Math.abs(value) >= 2 * one) ?? ['s', 1];
  return Math.round(value / size) + ' ' + unit;
}

function showMeasures(measures) {
  const readings = measures.flatMap(({ name, help, readings }) => readings.map((each) => ({ name, help, ...each })));
  rows('measure-rows', readings, ({ name, help, labels, value }) => {
    const first = element('td');
    const code = element('code', name);
    code.title = help;
    first.append(code);
    return [first, element('td', Object.values(labels).join(' ')), element('td', age(name, value), 'number')];
  });
}

const state = byId('state');
const say = (text, isFault = false) => {
  state.textContent = text;
  state.className = isFault ? 'fault' : '';
};

let live;
function follow() {
  live = new EventSource('/console/live');
  live.onopen = () => say('Live');
  live.onerror = () => say('The service does not answer; trying again', true);
  live.onmessage = ({ data }) => {
    const news = JSON.parse(data);
    const now = Math.floor(Date.now() / 1000) - 1;
    for (const second of news.seconds) seconds.set(second.at, second);
    for (const at of seconds.keys()) if (at < now - width) seconds.delete(at);
    draw(now);
    showAlerts(news.alerts);
    showEvents(news.events);
    if (news.measures) showMeasures(news.measures);
  };
}

byId('pause').addEventListener('click', ({ target }) => {
  const isPaused = target.getAttribute('aria-pressed') !== 'true';
  target.setAttribute('aria-pressed', String(isPaused));
  if (isPaused) {
    live.close();
    say('Paused');
  } else follow();
});

draw(Math.floor(Date.now() / 1000));
follow();
`;
