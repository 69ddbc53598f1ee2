CREATE TABLE alerts (
  id uuid PRIMARY KEY,
  rule text NOT NULL,
  severity text NOT NULL CHECK (severity IN ('critical', 'warning', 'info')),
  key text NOT NULL CHECK (is_sealed_cell(key)),
  incident text NOT NULL,
  is_personal boolean NOT NULL,
  summary text NOT NULL,
  runbook text NOT NULL,
  details jsonb NOT NULL,
  count integer NOT NULL CHECK (count > 0),
  first_at timestamptz(3) NOT NULL,
  last_at timestamptz(3) NOT NULL,
  told_id uuid NOT NULL,
  told_count integer NOT NULL,
  told_at timestamptz(3) NOT NULL,
  acknowledged_by uuid,
  acknowledged_at timestamptz(3),
  CHECK ((acknowledged_by IS NULL) = (acknowledged_at IS NULL))
);
-- Many instances notice one attack: one row of it is open.
CREATE UNIQUE INDEX alerts_one_open ON alerts (incident) WHERE acknowledged_at IS NULL;
CREATE INDEX alerts_last_at_idx ON alerts (last_at);
CREATE INDEX alerts_rule_told_at_idx ON alerts (rule, told_at);

CREATE TABLE alert_webhooks (
  id uuid PRIMARY KEY,
  body text NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  due_at timestamptz(3) NOT NULL,
  created_at timestamptz(3) NOT NULL
);
CREATE INDEX alert_webhooks_due_at_idx ON alert_webhooks (due_at);
