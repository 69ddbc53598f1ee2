CREATE TABLE sessions (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  refresh_counter integer NOT NULL DEFAULT 0 CHECK (refresh_counter >= 0),
  refreshed_at timestamptz(3) NOT NULL,
  authenticated_at timestamptz(3) NOT NULL,
  methods text[] NOT NULL,
  factor_due boolean NOT NULL DEFAULT false,
  enrolment_due boolean NOT NULL DEFAULT false CHECK (factor_due OR NOT enrolment_due),
  in_browser boolean NOT NULL DEFAULT false,
  device text CHECK (is_sealed_cell(device)),
  place text CHECK (is_sealed_cell(place)),
  expires_at timestamptz(3) NOT NULL,
  -- What a session may do is sealed with a MAC of the key ring: whoever only writes to the database cannot raise it.
  authority_mac text,
  ended_at timestamptz(3),
  end_reason text,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX sessions_user_id_idx ON sessions (user_id);
