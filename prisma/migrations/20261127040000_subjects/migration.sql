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

DROP TRIGGER registrations_drop_data_key ON registrations;
DROP FUNCTION drop_data_key_of_registration();
CREATE CONSTRAINT TRIGGER registrations_drop_data_key AFTER DELETE ON registrations DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION drop_data_key_of_subject('id');
CREATE CONSTRAINT TRIGGER users_drop_data_key AFTER DELETE ON users DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION drop_data_key_of_subject('id');

-- Sealed under the key of the sender: no invitation outlives them.
ALTER TABLE invitations ADD FOREIGN KEY (sender_id) REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE;
CREATE INDEX invitations_sender_id_idx ON invitations (sender_id);
