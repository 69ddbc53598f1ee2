-- How many resources somebody has, and may have. Counted at the commit: the row of the owner is locked for that moment only, not
-- while the service is still at work, so that many creates of one owner do not wait for each other.
ALTER TABLE users ADD COLUMN resource_count integer NOT NULL DEFAULT 0 CHECK (resource_count >= 0);
UPDATE users SET resource_count = (SELECT count(*) FROM resources WHERE owner_id = users.id);
-- The statement that makes a resource says how many its owner may have (src/resources/resource.limits.ts).
ALTER TABLE resources ADD COLUMN owner_quota integer NOT NULL DEFAULT 1000;

CREATE FUNCTION count_resources() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  IF TG_OP = 'DELETE' THEN
    UPDATE public.users SET resource_count = resource_count - 1 WHERE id = OLD.owner_id AND resource_count > 0;
  ELSE
    UPDATE public.users SET resource_count = resource_count + 1 WHERE id = NEW.owner_id AND resource_count < NEW.owner_quota;
    IF NOT FOUND THEN RAISE 'the owner has no place for another resource' USING ERRCODE = 'QUOTA'; END IF;
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER resources_owner_quota AFTER INSERT OR DELETE ON resources DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION count_resources();
