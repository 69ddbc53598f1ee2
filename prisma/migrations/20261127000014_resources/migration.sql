CREATE TABLE resources (
  id uuid PRIMARY KEY,
  owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
  body text NOT NULL CHECK (char_length(body) <= 20000),
  visibility text NOT NULL DEFAULT 'private' CHECK (visibility IN ('private', 'public')),
  note text CHECK (is_sealed_cell(note)),
  -- The statement that makes a resource says how many its owner may have (src/resources/resource.limits.ts).
  owner_quota integer NOT NULL DEFAULT 1000,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX resources_owner_id_id_idx ON resources (owner_id, id);
CREATE INDEX resources_public_id_idx ON resources (id) WHERE visibility = 'public';

CREATE TABLE resource_shares (
  resource_id uuid NOT NULL REFERENCES resources (id) ON DELETE CASCADE ON UPDATE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  role text NOT NULL CHECK (role IN ('viewer', 'editor')),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (resource_id, user_id)
);
CREATE INDEX resource_shares_user_id_resource_id_idx ON resource_shares (user_id, resource_id);

-- How many resources somebody has, and may have. Counted at the commit: the row of the owner is locked for that moment only, not
-- while the service is still at work, so that many creates of one owner do not wait for each other.
CREATE TABLE resource_counts (
  owner_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  count integer NOT NULL CHECK (count >= 0)
);

CREATE FUNCTION count_resources() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  IF TG_OP = 'DELETE' THEN
    UPDATE public.resource_counts SET count = count - 1 WHERE owner_id = OLD.owner_id AND count > 0;
  ELSE
    INSERT INTO public.resource_counts AS counted (owner_id, count) VALUES (NEW.owner_id, 1)
      ON CONFLICT (owner_id) DO UPDATE SET count = counted.count + 1 WHERE counted.count < NEW.owner_quota;
    IF NOT FOUND THEN RAISE 'the owner has no place for another resource' USING ERRCODE = 'QUOTA'; END IF;
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER resources_owner_quota AFTER INSERT OR DELETE ON resources DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION count_resources();
