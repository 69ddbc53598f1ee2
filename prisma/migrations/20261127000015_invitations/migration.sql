CREATE TABLE invited_addresses (
  id uuid PRIMARY KEY,
  email text NOT NULL CHECK (is_sealed_cell(email)),
  email_index text UNIQUE,
  mails integer NOT NULL DEFAULT 0 CHECK (mails >= 0),
  day date NOT NULL,
  opted_out_at timestamptz(3)
);
CREATE INDEX invited_addresses_day_idx ON invited_addresses (day) WHERE opted_out_at IS NULL;

CREATE TABLE invitations (
  id uuid PRIMARY KEY,
  resource_id uuid NOT NULL REFERENCES resources (id) ON DELETE CASCADE ON UPDATE CASCADE,
  -- Sealed under the key of the sender: no invitation outlives them.
  sender_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  address_id uuid NOT NULL REFERENCES invited_addresses (id) ON DELETE CASCADE ON UPDATE CASCADE,
  email text NOT NULL CHECK (is_sealed_cell(email)),
  email_index text,
  role text NOT NULL CHECK (role IN ('viewer', 'editor')),
  offered_at timestamptz(3) NOT NULL,
  expires_at timestamptz(3) NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX invitations_resource_id_email_index_key ON invitations (resource_id, email_index);
CREATE INDEX invitations_email_index_id_idx ON invitations (email_index, id);
CREATE INDEX invitations_address_id_idx ON invitations (address_id);
CREATE INDEX invitations_expires_at_idx ON invitations (expires_at);
CREATE INDEX invitations_sender_id_idx ON invitations (sender_id);
