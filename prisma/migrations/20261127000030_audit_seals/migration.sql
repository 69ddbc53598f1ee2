-- What seals the audit trail: a link for each event, and notes that the service signed about the chain. All append-only, as the events are;
-- audit:prune cuts what is old, as their owner.
CREATE TABLE audit_links (
  stream text NOT NULL CHECK (stream IN ('changes', 'refusals')),
  seq bigint NOT NULL CHECK (seq > 0),
  event_id uuid NOT NULL,
  hash bytea NOT NULL CHECK (octet_length(hash) = 32),
  at timestamptz(3) NOT NULL,
  PRIMARY KEY (stream, seq)
);
CREATE UNIQUE INDEX audit_links_event_id_key ON audit_links (event_id);

CREATE TABLE audit_checkpoints (
  stream text NOT NULL CHECK (stream IN ('changes', 'refusals')),
  seq bigint NOT NULL CHECK (seq > 0),
  key_id text NOT NULL,
  note text NOT NULL,
  at timestamptz(3) NOT NULL,
  PRIMARY KEY (stream, seq)
);
CREATE TABLE audit_anchors (LIKE audit_checkpoints INCLUDING ALL);
CREATE TABLE audit_exports (LIKE audit_checkpoints INCLUDING ALL);
-- One range may leave several times, in several forms.
ALTER TABLE audit_exports ADD COLUMN id uuid NOT NULL, DROP CONSTRAINT audit_exports_pkey, ADD PRIMARY KEY (id);

DO $$ DECLARE name text; BEGIN
  FOREACH name IN ARRAY ARRAY['audit_links', 'audit_checkpoints', 'audit_anchors', 'audit_exports'] LOOP
    EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()', name || '_append_only', name);
    EXECUTE format('CREATE TRIGGER %I BEFORE DELETE ON %I
      FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()', name || '_young_stay', name);
  END LOOP;
END $$;
