import { describe, expect, it } from 'vitest';
import '../../../src/app.module.js';
import { defineAction, ownActions, vocabularyActions } from '../../../src/common/events/security-events.js';

/** All names of the OWASP Logging Vocabulary Cheat Sheet. */
const vocabulary = new Set(
  `authn_login_success authn_login_successafterfail authn_login_fail authn_login_fail_max authn_login_lock
  authn_password_change authn_password_change_fail authn_impossible_travel
  authn_token_created authn_token_revoked authn_token_reuse authn_token_delete
  authz_fail authz_change authz_admin crypt_decrypt_fail crypt_encrypt_fail excess_rate_limit_exceeded
  upload_complete upload_stored upload_validation upload_delete input_validation_fail input_validation_discrete_fail
  malicious_excess_404 malicious_extraneous malicious_attack_tool malicious_cors malicious_direct_reference
  privilege_permissions_changed
  sensitive_create sensitive_read sensitive_update sensitive_delete sequence_fail
  session_created session_renewed session_expired session_use_after_expire
  sys_startup sys_shutdown sys_restart sys_crash sys_monitor_disabled sys_monitor_enabled
  user_created user_updated user_archived user_deleted`.split(/\s+/),
);

describe('the names of security events [ASVS 16.2.4]', () => {
  it('are of the OWASP vocabulary, or said to be our own: each in one list, once', () => {
    expect(vocabularyActions.filter((name) => !vocabulary.has(name))).toEqual([]);
    expect(ownActions().filter((name) => vocabulary.has(name))).toEqual([]);
    expect(() => defineAction('sys_error')).toThrow('the security action sys_error is declared twice');
  });
});
