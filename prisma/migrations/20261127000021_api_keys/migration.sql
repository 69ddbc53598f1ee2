CREATE TABLE api_keys (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
  service text CHECK (char_length(service) BETWEEN 1 AND 100),
  scopes text[] NOT NULL CHECK (cardinality(scopes) BETWEEN 1 AND 100),
  address_ranges text[] NOT NULL DEFAULT '{}' CHECK (cardinality(address_ranges) <= 20),
  tier text NOT NULL,
  -- The key is recognised and its rights are sealed by MACs of the key ring: whoever only writes to the database makes
  -- no key, and changes none.
  secret_mac text NOT NULL,
  authority_mac text,
  expires_at timestamptz(3) NOT NULL,
  warned_at timestamptz(3),
  last_used_at timestamptz(3),
  successor_id uuid,
  revoked_at timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  CHECK (revoked_at IS NULL OR authority_mac IS NULL)
);
CREATE INDEX api_keys_user_id_idx ON api_keys (user_id);
CREATE INDEX api_keys_expires_at_idx ON api_keys (expires_at);
