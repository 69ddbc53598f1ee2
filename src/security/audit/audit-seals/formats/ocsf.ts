import type { AuditEntry } from '../../audit-entry.js';
import type { Format } from './record.js';

/** A class of OCSF 1.5, its category, and the activity in it. */
interface OcsfClass {
  readonly uid: 3001 | 3002 | 6003;
  readonly activity: number;
}

const [accountChange, authentication, apiActivity] = [3001, 3002, 6003] as const;
const other = 99;

const byAction: Readonly<Record<string, OcsfClass>> = {
  authn_login_success: { uid: authentication, activity: 1 },
  authn_login_fail: { uid: authentication, activity: 1 },
  authn_new_device: { uid: authentication, activity: 1 },
  authn_password_change: { uid: accountChange, activity: 3 },
  user_created: { uid: accountChange, activity: 1 },
  user_updated: { uid: accountChange, activity: other },
  user_deleted: { uid: accountChange, activity: 6 },
  authz_change: { uid: accountChange, activity: other },
  sensitive_create: { uid: apiActivity, activity: 1 },
  sensitive_read: { uid: apiActivity, activity: 2 },
  sensitive_update: { uid: apiActivity, activity: 3 },
  sensitive_delete: { uid: apiActivity, activity: 4 },
};

/** Names that a feature declares begin as those of the vocabulary do. */
function classOf(action: string): OcsfClass {
  const known = Object.hasOwn(byAction, action) ? byAction[action] : undefined;
  if (known !== undefined) return known;
  if (/^(?:authn|session)_/.test(action)) return { uid: authentication, activity: other };
  return { uid: /^(?:user|mfa|account)_/.test(action) ? accountChange : apiActivity, activity: other };
}

/** Open Cybersecurity Schema Framework, one JSON object a line; what it has no place for is under `unmapped`. */
export const ocsf: Format = ({ stream, seq, hash, event }) => {
  const { uid, activity } = classOf(event.action);
  const isSuccess = event.outcome === 'success';
  return JSON.stringify({
    class_uid: uid,
    category_uid: Math.floor(uid / 1000),
    activity_id: activity,
    ...(activity === other ? { activity_name: event.action } : {}),
    type_uid: uid * 100 + activity,
    time: event.at.getTime(),
    severity_id: isSuccess ? 1 : 2,
    status_id: isSuccess ? 1 : 2,
    status_code: event.outcome,
    metadata: metadataOf(event, stream, seq),
    actor: actorOf(event),
    ...aboutOf(event, uid),
    src_endpoint: endpointOf(event.network),
    unmapped: { details: event.details, link: { stream, seq, hash: hash.toString('base64') } },
  });
};

const metadataOf = ({ id, requestId }: AuditEntry, stream: string, seq: number) => ({
  version: '1.5.0',
  uid: id,
  sequence: seq,
  log_name: `audit/${stream}`,
  product: { name: 'nestjs-secure-template', vendor_name: 'nestjs-secure-template' },
  ...(requestId === null ? {} : { correlation_uid: requestId }),
});

const actorOf = ({ actorId, actorKind, machineId, sessionId }: AuditEntry) => ({
  user: { uid: actorId ?? 'nobody', ...(actorKind === 'machine' ? { type_id: 3 } : {}) },
  ...(sessionId === null ? {} : { session: { uid: sessionId } }),
  ...(machineId === null ? {} : { app_uid: machineId }),
});

/** What each class asks for: whose account it is, or what was called on what. */
function aboutOf({ action, actorId, targetType, targetId }: AuditEntry, uid: OcsfClass['uid']) {
  const isUser = targetType?.toLowerCase() === 'user';
  if (uid !== apiActivity) return { user: { uid: (isUser ? targetId : actorId) ?? 'unknown' } };
  const resources = targetId === null ? {} : { resources: [{ type: targetType, uid: targetId }] };
  return { api: { operation: action }, ...resources };
}

/** An IPv4 address, or the /64 of an IPv6 one. */
function endpointOf(network: string | null) {
  if (network === null) return { name: 'internal' };
  return network.includes('/') ? { subnet_uid: network } : { ip: network };
}
