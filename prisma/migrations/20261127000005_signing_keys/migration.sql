CREATE TABLE signing_keys (
  id uuid PRIMARY KEY,
  public_jwk jsonb NOT NULL,
  private_jwk text NOT NULL CHECK (is_sealed_cell(private_jwk)),
  state text NOT NULL CHECK (state IN ('next', 'active', 'retired')),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  retired_at timestamptz(3)
);
CREATE UNIQUE INDEX signing_keys_one_active ON signing_keys (state) WHERE state = 'active';
