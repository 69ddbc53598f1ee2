export { CredentialChanges } from './credential-changes.js';
export { FactorChanges } from './factor-changes.js';
export { FactorProofs, type CodeFault } from './factor-proofs.js';
export { PersonLock } from './person-lock.js';
export { SecondFactors, type SecondFactor } from './second-factors.js';
export { SessionsModule } from './sessions.module.js';
export { Sessions } from './sessions.js';
export { SignIns } from './sign-ins.js';
export { SignedInView, TokensView } from './tokens.view.js';
