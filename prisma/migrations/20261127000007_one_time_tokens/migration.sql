CREATE TABLE one_time_tokens (
  id uuid PRIMARY KEY,
  purpose text NOT NULL CHECK (purpose ~ '^[a-z]+(-[a-z]+)*$'),
  user_id uuid REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  address_mac text,
  -- Key id and HMAC-SHA-256: a token in clear does not fit.
  token_mac text NOT NULL CHECK (token_mac ~ '^[a-z0-9-]{1,64}\.[A-Za-z0-9_-]{43}$'),
  payload text CHECK (is_sealed_cell(payload)),
  used_at timestamptz(3),
  expires_at timestamptz(3) NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX one_time_tokens_purpose_address_mac_idx ON one_time_tokens (purpose, address_mac);
CREATE INDEX one_time_tokens_user_id_idx ON one_time_tokens (user_id);
CREATE INDEX one_time_tokens_expires_at_idx ON one_time_tokens (expires_at);
-- Not for a row without a payload: no key was made for it.
CREATE CONSTRAINT TRIGGER one_time_tokens_drop_data_key AFTER DELETE ON one_time_tokens DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (OLD.payload IS NOT NULL) EXECUTE FUNCTION drop_data_key_of_subject('id');
