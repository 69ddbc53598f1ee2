CREATE TABLE audit_events (
  id uuid PRIMARY KEY,
  at timestamptz(3) NOT NULL,
  action text NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('success', 'failure', 'denied')),
  actor_id uuid,
  session_id uuid,
  actor_kind text CHECK (actor_kind IN ('person', 'machine')),
  machine_id uuid,
  target_type text,
  target_id text,
  request_id text,
  network text,
  details jsonb NOT NULL,
  mac_key_id text NOT NULL,
  mac text NOT NULL
);
CREATE INDEX audit_events_actor_id_id_idx ON audit_events (actor_id, id);
CREATE INDEX audit_events_action_id_idx ON audit_events (action, id);

-- Append-only, the database's own word on it: not even the service may rewrite history.
-- Retention: the owner of the table may delete what is old, and says so in the transaction (audit:prune). The role of the service has no
-- DELETE on it. Whoever asks, nothing of the last 30 days goes: the traces of what is going on outlive a wrong setting.
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  IF TG_OP = 'DELETE' AND current_setting('audit.pruning', true) = 'on' THEN
    IF TG_LEVEL = 'STATEMENT' THEN RETURN NULL; END IF;
    IF OLD.at < now() - interval '30 days' THEN RETURN OLD; END IF;
  END IF;
  RAISE EXCEPTION 'audit events are append-only';
END $$;
CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_events_young_stay BEFORE DELETE ON audit_events
  FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
