-- Webhooks that were handled. The primary key decides between two that arrive at once: one writes, the other waits for it.
CREATE TABLE webhook_deliveries (
  source text NOT NULL CHECK (source ~ '^[a-z][a-z0-9]{0,29}$'),
  delivery_id text NOT NULL CHECK (octet_length(delivery_id) BETWEEN 1 AND 128),
  expires_at timestamptz(3) NOT NULL,
  PRIMARY KEY (source, delivery_id)
);
CREATE INDEX webhook_deliveries_expires_at_idx ON webhook_deliveries (expires_at);
