CREATE TABLE users (
  id uuid PRIMARY KEY,
  email text NOT NULL CHECK (is_sealed_cell(email)),
  email_index text UNIQUE,
  name text NOT NULL CHECK (is_sealed_cell(name)),
  phone text CHECK (is_sealed_cell(phone)),
  roles text[] NOT NULL DEFAULT '{user}' CHECK ('user' = ANY (roles)) CONSTRAINT users_roles_known CHECK (roles <@ '{user,admin}'),
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
  second_factors text[] NOT NULL DEFAULT '{}' CONSTRAINT users_second_factors_known CHECK (second_factors <@ '{}'),
  -- What an account may do is sealed with a MAC of the key ring: whoever only writes to the database cannot raise it.
  authority_mac text,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);
-- The names that roles and second_factors may hold; each feature's migration adds its own: SELECT allow_in_users('roles', 'auditor');
CREATE FUNCTION allow_in_users(list text, name text) RETURNS void LANGUAGE plpgsql AS
$$ DECLARE
  rule text := 'users_' || list || '_known';
  known text[] := (SELECT substring(pg_get_constraintdef(oid) FROM '{[^}]*}') FROM pg_constraint
    WHERE conrelid = 'public.users'::regclass AND conname = rule);
BEGIN
  EXECUTE format('ALTER TABLE public.users DROP CONSTRAINT %I, ADD CONSTRAINT %I CHECK (%I <@ %L::text[])',
    rule, rule, list, array_append(known, name));
END $$;
-- For the rotation of the key: whose seal is old.
CREATE INDEX users_authority_mac ON users (split_part(authority_mac, '.', 1));
CREATE CONSTRAINT TRIGGER users_drop_data_key AFTER DELETE ON users DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION drop_data_key_of_subject('id');

-- Who was erased, by id alone: what a restored backup brings back has to be erased again.
CREATE TABLE tombstones (
  subject uuid PRIMARY KEY,
  erased_at timestamptz(3) NOT NULL
);
