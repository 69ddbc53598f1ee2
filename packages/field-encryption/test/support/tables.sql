CREATE TABLE users (
  id uuid PRIMARY KEY,
  email text NOT NULL CHECK (is_sealed_cell(email)),
  email_index text UNIQUE,
  name text NOT NULL CHECK (is_sealed_cell(name)),
  phone text CHECK (is_sealed_cell(phone)),
  status text NOT NULL DEFAULT 'active',
  version integer NOT NULL DEFAULT 1,
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE TABLE password_credentials (
  user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
  hash text NOT NULL CHECK (is_sealed_cell(hash))
);
CREATE TABLE documents (
  id uuid PRIMARY KEY,
  owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  title text NOT NULL,
  body text NOT NULL,
  note text CHECK (is_sealed_cell(note)),
  version integer NOT NULL DEFAULT 1
);
CREATE TABLE registrations (
  id uuid PRIMARY KEY,
  email text NOT NULL CHECK (is_sealed_cell(email)),
  email_index text
);
CREATE TABLE signing_keys (
  id uuid PRIMARY KEY,
  private_jwk text NOT NULL CHECK (is_sealed_cell(private_jwk))
);
CREATE CONSTRAINT TRIGGER users_drop_data_key AFTER DELETE ON users DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION drop_data_key_of_subject('id');
CREATE CONSTRAINT TRIGGER registrations_drop_data_key AFTER DELETE ON registrations DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION drop_data_key_of_subject('id');
