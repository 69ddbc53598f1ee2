-- Who reads the audit trail, and nothing else.
SELECT allow_in_users('roles', 'auditor');
-- What was done to an account by others: for its owner.
CREATE INDEX audit_events_of_users ON audit_events (target_id, id) WHERE target_type = 'user';
