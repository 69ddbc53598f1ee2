export { RefreshCookie } from './refresh-cookie.js';
