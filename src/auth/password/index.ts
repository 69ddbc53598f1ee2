export { NewPasswordField } from './password-policy.js';
export { PasswordModule } from './password.module.js';
export { Passwords } from './passwords.js';
export { resetDueHash } from './credential.repository.js';
