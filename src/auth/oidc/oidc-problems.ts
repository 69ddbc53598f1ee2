import { defineProblemType, Problem } from '../../common/http/problem.js';

export const signInRefusal = defineProblemType('provider-sign-in-refused', {
  status: 400,
  title: 'The sign-in with the provider was not accepted',
  cause:
    'What came back from the provider belongs to no sign-in that this browser began, was used already, is too old, ' +
    'or could not be verified; or the provider did not sign the person in.',
  remedy: 'Begin the sign-in anew, and finish it within ten minutes in the same browser.',
});

export const linkRefusal = defineProblemType('link-required', {
  status: 409,
  title: 'No account is linked to this identity',
  cause:
    'The provider has vouched for somebody whom no account here is linked to. That the address is the same links ' +
    'nothing: providers do not all verify addresses.',
  remedy:
    'Sign in to your account in another way, and link the provider there: `POST /v1/auth/oidc/{provider}/link`. ' +
    'Without an account, register by e-mail first.',
});

/** One answer for whatever is wrong; the audit trail has the reason. */
export const signInRefused = (cause?: unknown): Problem => new Problem(signInRefusal, undefined, { cause });

/** The same whether or not somebody has the address, unless the provider verified that it is the caller's. */
export const linkIsRequired = (): Problem => new Problem(linkRefusal);

/** One provider is away; the others, and all other ways to sign in, work. */
export const providerUnavailable = (cause: unknown): Problem =>
  new Problem('unavailable', 'The provider does not answer at the moment. Other ways to sign in work.', {
    headers: { 'Retry-After': '30' },
    cause,
  });
