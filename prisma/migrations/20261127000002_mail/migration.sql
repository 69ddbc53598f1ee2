CREATE TABLE outgoing_mails (
  id uuid PRIMARY KEY,
  recipient text NOT NULL CHECK (is_sealed_cell(recipient)),
  content text NOT NULL CHECK (is_sealed_cell(content)),
  attempts integer NOT NULL DEFAULT 0,
  due_at timestamptz(3) NOT NULL DEFAULT now(),
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX outgoing_mails_due_at_idx ON outgoing_mails (due_at);
