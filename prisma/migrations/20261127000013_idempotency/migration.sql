-- What a request with an Idempotency-Key has made. The primary key decides between parallel requests: one writes, the others wait for it.
CREATE TABLE idempotency_keys (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  key_mac text NOT NULL,
  request_mac text NOT NULL,
  target_id uuid NOT NULL,
  expires_at timestamptz(3) NOT NULL,
  PRIMARY KEY (user_id, key_mac)
);
CREATE INDEX idempotency_keys_expires_at_idx ON idempotency_keys (expires_at);
