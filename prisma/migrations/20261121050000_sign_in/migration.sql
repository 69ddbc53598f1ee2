ALTER TABLE password_credentials ADD COLUMN reset_due_at timestamptz(3);

ALTER TABLE sessions
  ADD COLUMN factor_due boolean NOT NULL DEFAULT false,
  ADD COLUMN enrolment_due boolean NOT NULL DEFAULT false CHECK (factor_due OR NOT enrolment_due),
  ADD COLUMN in_browser boolean NOT NULL DEFAULT false,
  ADD COLUMN device text CHECK (is_sealed_cell(device)),
  ADD COLUMN place text CHECK (is_sealed_cell(place));

CREATE TABLE password_resets (
  id uuid PRIMARY KEY,
  address_mac text NOT NULL UNIQUE,
  user_id uuid REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  token_mac text NOT NULL,
  expires_at timestamptz(3) NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX password_resets_user_id_idx ON password_resets (user_id);
CREATE INDEX password_resets_expires_at_idx ON password_resets (expires_at);

CREATE TABLE email_changes (
  user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  new_email text NOT NULL CHECK (is_sealed_cell(new_email)),
  old_token_mac text NOT NULL UNIQUE,
  new_token_mac text NOT NULL UNIQUE,
  old_confirmed_at timestamptz(3),
  new_confirmed_at timestamptz(3),
  expires_at timestamptz(3) NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX email_changes_expires_at_idx ON email_changes (expires_at);

CREATE TABLE totp_authenticators (
  user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  secret text NOT NULL CHECK (is_sealed_cell(secret)),
  confirmed_at timestamptz(3),
  last_step integer NOT NULL DEFAULT 0,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TABLE recovery_codes (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  hash text NOT NULL CHECK (is_sealed_cell(hash)),
  used_at timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX recovery_codes_user_id_idx ON recovery_codes (user_id);

CREATE TABLE passkeys (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  credential_id text NOT NULL UNIQUE CHECK (char_length(credential_id) BETWEEN 16 AND 1400),
  public_key text NOT NULL CHECK (is_sealed_cell(public_key)),
  name text NOT NULL CHECK (is_sealed_cell(name)),
  counter bigint NOT NULL DEFAULT 0 CHECK (counter >= 0),
  transports text[] NOT NULL DEFAULT '{}',
  backed_up boolean NOT NULL DEFAULT false,
  last_used_at timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX passkeys_user_id_idx ON passkeys (user_id);

CREATE TABLE passkey_challenges (
  id uuid PRIMARY KEY,
  mac text NOT NULL UNIQUE,
  user_id uuid REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  expires_at timestamptz(3) NOT NULL
);
CREATE INDEX passkey_challenges_user_id_idx ON passkey_challenges (user_id);
CREATE INDEX passkey_challenges_expires_at_idx ON passkey_challenges (expires_at);

CREATE TABLE outgoing_mails (
  id uuid PRIMARY KEY,
  recipient text NOT NULL CHECK (is_sealed_cell(recipient)),
  content text NOT NULL CHECK (is_sealed_cell(content)),
  attempts integer NOT NULL DEFAULT 0,
  due_at timestamptz(3) NOT NULL DEFAULT now(),
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX outgoing_mails_due_at_idx ON outgoing_mails (due_at);
