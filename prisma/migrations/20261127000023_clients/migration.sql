CREATE TABLE clients (
  id uuid PRIMARY KEY,
  owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
  -- Public keys only: whoever reads the table must not be able to be a client.
  keys text NOT NULL CHECK (octet_length(keys) <= 8192 AND keys !~ '"(d|p|q|dp|dq|qi|oth|k)" *:'),
  certificate text CHECK (certificate ~ '^(dns|uri):' AND char_length(certificate) <= 560),
  scopes text[] NOT NULL CHECK (cardinality(scopes) >= 1),
  tier text NOT NULL CHECK (tier IN ('standard', 'high')),
  requires_dpop boolean NOT NULL,
  status text NOT NULL CHECK (status IN ('active', 'disabled')),
  version integer NOT NULL CHECK (version >= 1),
  -- All of it is sealed with a MAC of the key ring: whoever only writes to the database cannot make a client.
  authority_mac text,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  -- One way to prove who it is.
  CHECK ((certificate IS NULL) = (keys <> '{"keys":[]}'))
);
CREATE INDEX clients_owner_id_idx ON clients (owner_id);
CREATE TABLE spent_ids (
  digest text PRIMARY KEY CHECK (digest ~ '^[A-Za-z0-9_-]{43}$'),
  client_id uuid NOT NULL REFERENCES clients (id) ON DELETE CASCADE ON UPDATE CASCADE,
  is_revoked boolean NOT NULL,
  expires_at timestamptz(3) NOT NULL
);
CREATE INDEX spent_ids_client_id_is_revoked_idx ON spent_ids (client_id, is_revoked);
CREATE INDEX spent_ids_expires_at_idx ON spent_ids (expires_at);
