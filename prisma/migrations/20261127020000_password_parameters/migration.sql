-- What each hash was made with, beside the sealed hash: a sign-in does the work of every set that is in use, whoever it is for.
-- Null until the next start of the service, which opens the hashes that were there before.
ALTER TABLE password_credentials ADD COLUMN parameters text CHECK (parameters ~ '^m=[0-9]{1,7},t=[0-9]{1,3},p=[0-9]{1,2}$');
-- Tells the few different values without passing the rows.
CREATE INDEX password_credentials_parameters_idx ON password_credentials (parameters);
