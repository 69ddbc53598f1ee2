-- A sealed cell: enc:v1:<data key id>:<base64url of nonce, ciphertext and tag>. The constraint is the last line of defence:
-- whatever writes to the table, plaintext cannot land in an encrypted column.
CREATE FUNCTION is_sealed_cell(cell text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN cell ~ '^enc:v1:[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}:[A-Za-z0-9_-]{38,}$';

CREATE TABLE data_keys (
  id uuid PRIMARY KEY,
  purpose text NOT NULL,
  subject text NOT NULL,
  wrapper text NOT NULL,
  wrapping_key text NOT NULL,
  wrapped text,
  state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'retired', 'destroyed')),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  destroyed_at timestamptz(3),
  CHECK ((state = 'destroyed') = (wrapped IS NULL)),
  CHECK ((state = 'destroyed') = (destroyed_at IS NOT NULL))
);
CREATE INDEX data_keys_purpose_subject_idx ON data_keys (purpose, subject);
-- Two instances that seal a subject's first field at once must agree on one key.
CREATE UNIQUE INDEX data_keys_one_active ON data_keys (purpose, subject) WHERE state = 'active';

CREATE TABLE users (
  id uuid PRIMARY KEY,
  email text NOT NULL CHECK (is_sealed_cell(email)),
  email_index text UNIQUE,
  name text NOT NULL CHECK (is_sealed_cell(name)),
  phone text CHECK (is_sealed_cell(phone)),
  roles text[] NOT NULL DEFAULT '{user}' CHECK (roles <@ ARRAY['user', 'admin'] AND 'user' = ANY (roles)),
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TABLE registrations (
  id uuid PRIMARY KEY,
  email text NOT NULL CHECK (is_sealed_cell(email)),
  email_index text,
  token_mac text NOT NULL UNIQUE,
  expires_at timestamptz(3) NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX registrations_email_index_idx ON registrations (email_index);
CREATE INDEX registrations_expires_at_idx ON registrations (expires_at);

CREATE TABLE password_credentials (
  user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  hash text NOT NULL CHECK (is_sealed_cell(hash)),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TABLE sessions (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  refresh_counter integer NOT NULL DEFAULT 0 CHECK (refresh_counter >= 0),
  refreshed_at timestamptz(3) NOT NULL,
  authenticated_at timestamptz(3) NOT NULL,
  methods text[] NOT NULL,
  expires_at timestamptz(3) NOT NULL,
  ended_at timestamptz(3),
  end_reason text,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX sessions_user_id_idx ON sessions (user_id);

CREATE TABLE signing_keys (
  id uuid PRIMARY KEY,
  public_jwk jsonb NOT NULL,
  private_jwk text NOT NULL CHECK (is_sealed_cell(private_jwk)),
  state text NOT NULL CHECK (state IN ('next', 'active', 'retired')),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  retired_at timestamptz(3)
);
CREATE UNIQUE INDEX signing_keys_one_active ON signing_keys (state) WHERE state = 'active';

CREATE TABLE resources (
  id uuid PRIMARY KEY,
  owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
  body text NOT NULL CHECK (char_length(body) <= 20000),
  visibility text NOT NULL DEFAULT 'private' CHECK (visibility IN ('private', 'public')),
  note text CHECK (is_sealed_cell(note)),
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX resources_owner_id_id_idx ON resources (owner_id, id);
CREATE INDEX resources_public_id_idx ON resources (id) WHERE visibility = 'public';

CREATE TABLE resource_shares (
  resource_id uuid NOT NULL REFERENCES resources (id) ON DELETE CASCADE ON UPDATE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  role text NOT NULL CHECK (role IN ('viewer', 'editor')),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (resource_id, user_id)
);
CREATE INDEX resource_shares_user_id_resource_id_idx ON resource_shares (user_id, resource_id);

CREATE TABLE audit_events (
  id uuid PRIMARY KEY,
  at timestamptz(3) NOT NULL,
  action text NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('success', 'failure', 'denied')),
  actor_id uuid,
  session_id uuid,
  target_type text,
  target_id text,
  request_id text,
  network text,
  details jsonb NOT NULL,
  mac_key_id text NOT NULL,
  mac text NOT NULL
);
CREATE INDEX audit_events_actor_id_id_idx ON audit_events (actor_id, id);
CREATE INDEX audit_events_action_id_idx ON audit_events (action, id);

-- Append-only, the database's own word on it: not even the service may rewrite history.
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'audit events are append-only'; END $$;
CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
