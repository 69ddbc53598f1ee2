CREATE TABLE password_credentials (
  user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  hash text NOT NULL CHECK (is_sealed_cell(hash)),
  -- What the hash was made with, beside the sealed hash: a sign-in does the work of every set that is in use, whoever it is for.
  parameters text CHECK (parameters ~ '^m=[0-9]{1,7},t=[0-9]{1,3},p=[0-9]{1,2}$'),
  reset_due_at timestamptz(3),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);
-- Tells the few different values without passing the rows.
CREATE INDEX password_credentials_parameters_idx ON password_credentials (parameters);

-- The credential that is opened for a sign-in with an unknown address.
CREATE TABLE stand_in_credentials (
  id uuid PRIMARY KEY,
  hash text NOT NULL CHECK (is_sealed_cell(hash))
);
