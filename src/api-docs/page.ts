/**
 * The page runs scripts and styles of its own origin and nothing else: no inline script, no eval, no foreign host. The
 * API's own answers keep the stricter policy of the security headers.
 */
export const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>API</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <div id="docs"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

/**
 * Starts Swagger UI. Whoever signs in through the page is signed in on the page: the token of the answer goes to the
 * bearer scheme. It stays in memory; closing the tab forgets it.
 */
export const startScript = `'use strict';
const ui = SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#docs',
  presets: [SwaggerUIBundle.presets.apis],
  layout: 'BaseLayout',
  validatorUrl: null,
  queryConfigEnabled: false,
  persistAuthorization: false,
  tryItOutEnabled: true,
  responseInterceptor(response) {
    const path = new URL(response.url, location.origin).pathname;
    if (response.ok && (path === '/v1/auth/login' || path === '/v1/auth/refresh')) {
      const { accessToken } = JSON.parse(response.text);
      ui.preauthorizeApiKey('bearer', accessToken);
    }
    return response;
  },
});
`;
