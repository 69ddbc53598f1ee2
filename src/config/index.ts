export { ConfigurationError, readConfig, type Config } from './config.js';
export { CONFIG, ConfigModule } from './config.module.js';
export { prepareDataDirectory } from './data-directory.js';
export { configFromEnvironment } from './environment.js';
export { databaseLink, redisLink, smtpLink } from './link.js';
export { handshakeFault, linkTls, type LinkTls } from './link-tls.js';
export { variables, type VariableName } from './variables.js';
