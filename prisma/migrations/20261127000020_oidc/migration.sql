CREATE TABLE federated_identities (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  provider text NOT NULL CHECK (provider ~ '^[a-z][a-z0-9]{0,29}$'),
  identifier text NOT NULL CHECK (is_sealed_cell(identifier)),
  identifier_index text,
  email text CHECK (is_sealed_cell(email)),
  last_used_at timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX federated_identities_identifier_index_key ON federated_identities (identifier_index);
CREATE UNIQUE INDEX federated_identities_user_id_provider_key ON federated_identities (user_id, provider);
