-- The table of the sample feature of the tests. Applied to the template of the test databases, never to one of the service.
CREATE TABLE samples (
  id uuid PRIMARY KEY,
  owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
  body text NOT NULL CHECK (char_length(body) <= 20000),
  note text,
  visibility text NOT NULL DEFAULT 'private' CHECK (visibility IN ('private', 'public')),
  rank integer NOT NULL DEFAULT 0,
  place jsonb,
  editors uuid[] NOT NULL DEFAULT '{}',
  viewers uuid[] NOT NULL DEFAULT '{}',
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX samples_owner_id_id_idx ON samples (owner_id, id);

-- Of the second factor of the tests.
CREATE TABLE sample_factors (
  user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  code text NOT NULL
);
SELECT allow_in_users('second_factors', 'sample');
