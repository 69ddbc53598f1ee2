-- A registration that becomes nobody takes its data key along, whoever deletes it: else a stranger fills data_keys for ever, and
-- the key of an address that was typed once would outlive it. Deferred to the commit: by then the user exists who inherits the
-- key. A destroyed key stays: it is what keeps an erased person from getting a new one.
CREATE FUNCTION drop_data_key_of_registration() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  DELETE FROM public.data_keys WHERE purpose = 'pii' AND subject = OLD.id::text AND state <> 'destroyed'
    AND NOT EXISTS (SELECT FROM public.users WHERE id = OLD.id);
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER registrations_drop_data_key AFTER DELETE ON registrations DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION drop_data_key_of_registration();
