CREATE TABLE totp_authenticators (
  user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  secret text NOT NULL CHECK (is_sealed_cell(secret)),
  confirmed_at timestamptz(3),
  last_step integer NOT NULL DEFAULT 0,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
SELECT allow_in_users('second_factors', 'totp');
