-- What a session or an account may do is sealed with a MAC of the key ring: whoever only writes to the database cannot raise it.
ALTER TABLE users
  ADD COLUMN second_factors text[] NOT NULL DEFAULT '{}' CHECK (second_factors <@ ARRAY['totp', 'passkey']),
  ADD COLUMN authority_mac text;
ALTER TABLE sessions ADD COLUMN authority_mac text;
-- For the rotation of the key: whose seal is old.
CREATE INDEX users_authority_mac ON users (split_part(authority_mac, '.', 1));
