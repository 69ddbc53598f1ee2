-- What operators set in an incident. Few rows, read whole.
CREATE TABLE restrictions (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('block', 'lockdown', 'recheck')),
  network text CHECK ((network IS NOT NULL) = (kind = 'block')),
  expires_at timestamptz(3) NOT NULL
);
