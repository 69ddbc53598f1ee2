import type { Config } from '../../config/index.js';

/** Where the PEM file is of the CAs whose certificates clients may show. */
interface ClientAuthorities {
  /** The variable that names the file, for whoever has to mend it. */
  readonly variable: string;
  /** Undefined: nothing is configured, and nobody is asked for a certificate. */
  readonly file: (config: Config) => string | undefined;
  /** Whoever shows no certificate of any CA that is asked for does not get past the handshake. */
  readonly isRequired?: boolean;
}

const declared: ClientAuthorities[] = [];

/**
 * Has the listener ask clients for certificates of these CAs. Unless it is required, nobody has to have one, and the
 * handshake also ends well with one that is no good: whoever declares this refuses it, with an answer and an audit
 * event. To be called while a file of the feature is loaded, as the listener is made before the modules. @public: every
 * user of it can be removed.
 */
export const declareClientAuthorities = (authorities: ClientAuthorities): void => void declared.push(authorities);

/** The files that this configuration names. */
export const clientAuthorityFiles = (config: Config): AuthorityFile[] =>
  declared.flatMap(({ variable, file, isRequired = false }) => {
    const path = file(config);
    return path === undefined ? [] : [{ variable, path, isRequired }];
  });

interface AuthorityFile {
  readonly variable: string;
  readonly path: string;
  readonly isRequired: boolean;
}
