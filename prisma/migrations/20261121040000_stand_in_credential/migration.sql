-- The credential that is opened for a sign-in with an unknown address.
CREATE TABLE stand_in_credentials (
  id uuid PRIMARY KEY,
  hash text NOT NULL CHECK (is_sealed_cell(hash))
);
