/** Without data: the script asks for it, and writes it as text. */
export const consolePage = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Security console</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/console/console.css">
  </head>
  <body>
    <a class="skip" href="#alerts">To the alerts</a>
    <header>
      <h1>Security console</h1>
      <output id="state" aria-live="polite">Connecting</output>
      <button id="pause" type="button" aria-pressed="false">Pause</button>
    </header>
    <main>
      <section aria-labelledby="traffic-title">
        <h2 id="traffic-title">Last ten minutes</h2>
        <div id="charts"></div>
      </section>
      <section id="alerts" aria-labelledby="alerts-title" tabindex="-1">
        <h2 id="alerts-title">Alerts</h2>
        <table>
          <thead><tr><th>Time</th><th>Severity</th><th>Rule</th><th>About</th><th>What</th><th>Runbook</th></tr></thead>
          <tbody id="alert-rows"><tr><td colspan="6">None since the start.</td></tr></tbody>
        </table>
      </section>
      <div class="pair">
        <section aria-labelledby="events-title">
          <h2 id="events-title">Security events since the start</h2>
          <table>
            <thead><tr><th>Event</th><th class="number">Count</th></tr></thead>
            <tbody id="event-rows"></tbody>
          </table>
        </section>
        <section aria-labelledby="measures-title">
          <h2 id="measures-title">Keys, certificates, seals, queues</h2>
          <table>
            <thead><tr><th>Measure</th><th>Of</th><th class="number">Value</th></tr></thead>
            <tbody id="measure-rows"></tbody>
          </table>
        </section>
      </div>
    </main>
    <script type="module" src="/console/console.js"></script>
  </body>
</html>
`;
