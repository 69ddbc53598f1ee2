-- A sealed cell: enc:v1:<data key id>:<base64url of nonce, ciphertext and tag>. The constraint is the last line of defence:
-- whatever writes to the table, plaintext cannot land in an encrypted column.
CREATE FUNCTION is_sealed_cell(cell text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN cell ~ '^enc:v1:[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}:[A-Za-z0-9_-]{38,}$';

CREATE TABLE data_keys (
  id uuid PRIMARY KEY,
  purpose text NOT NULL,
  subject text NOT NULL,
  wrapper text NOT NULL,
  wrapping_key text NOT NULL,
  wrapped text,
  state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'retired', 'destroyed')),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  destroyed_at timestamptz(3),
  CHECK ((state = 'destroyed') = (wrapped IS NULL)),
  CHECK ((state = 'destroyed') = (destroyed_at IS NOT NULL))
);
CREATE INDEX data_keys_purpose_subject_idx ON data_keys (purpose, subject);
-- Two instances that seal a subject's first field at once must agree on one key.
CREATE UNIQUE INDEX data_keys_one_active ON data_keys (purpose, subject) WHERE state = 'active';

-- A subject is a row that is about somebody: a user, a sign-up, or whoever else a table is about. With their last row goes their data key,
-- whoever deletes it: else the key of a person who is gone opens their cells in every backup for ever, and strangers fill data_keys.
-- Each table of subjects has this trigger, and so the triggers are the list of such tables: a sign-up hands its id, and its key, to a
-- user in the same transaction, so it is asked at the commit. A destroyed key stays: it keeps an erased person from getting a new one.
CREATE FUNCTION drop_data_key_of_subject() RETURNS trigger LANGUAGE plpgsql AS
$$ DECLARE
  gone text := to_jsonb(OLD) ->> TG_ARGV[0];
  other record;
  found boolean;
BEGIN
  IF NOT EXISTS (SELECT FROM public.data_keys WHERE subject = gone AND state <> 'destroyed') THEN RETURN NULL; END IF;
  FOR other IN
    SELECT t.tgrelid::regclass AS name, a.attname AS id, format_type(a.atttypid, a.atttypmod) AS type
    FROM pg_trigger t JOIN pg_attribute a ON a.attrelid = t.tgrelid AND a.attname = split_part(encode(t.tgargs, 'escape'), '\000', 1)
    WHERE t.tgfoid = 'public.drop_data_key_of_subject()'::regprocedure
  LOOP
    -- By the index where the value can be one of the type; a text that is no uuid is no id of such a table.
    CONTINUE WHEN other.type = 'uuid' AND gone !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';
    EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %I = $1::%s)', other.name, other.id, other.type) INTO found USING gone;
    IF found THEN RETURN NULL; END IF;
  END LOOP;
  DELETE FROM public.data_keys WHERE subject = gone AND state <> 'destroyed';
  RETURN NULL;
END $$;
