-- Who was erased, by id alone: what a restored backup brings back has to be erased again.
CREATE TABLE tombstones (
  subject uuid PRIMARY KEY,
  erased_at timestamptz(3) NOT NULL
);
