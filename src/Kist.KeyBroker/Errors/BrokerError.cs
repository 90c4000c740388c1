namespace Kist.KeyBroker.Errors;

/// <summary>
/// What a peer is told: a status, the name that Trustee has for the kind of error, a stable code and one coarse sentence.
/// The operator's side of it is in the audit log.
/// </summary>
sealed record BrokerError(int Status, string Variant, string Code, string Detail)
{
    public static readonly BrokerError Malformed = new(400, "SerdeError", "request.malformed", "the request does not follow the protocol");
    public static readonly BrokerError TooLarge = new(413, "SerdeError", "request.too_large", "the request's body is larger than this route allows");
    public static readonly BrokerError TooSlow = new(408, "HTTPFailed", "request.too_slow", "the request did not arrive in time");
    public static readonly BrokerError MethodNotAllowed = new(405, "InvalidRequestPath", "request.method", "this route has no such method");
    public static readonly BrokerError PathUnknown = new(404, "InvalidRequestPath", "path.unknown", "there is no such route");
    public static readonly BrokerError PluginUnknown = new(404, "PluginNotFound", "plugin.unknown", "there is no such plugin");
    public static readonly BrokerError RateLimited = new(429, "HTTPFailed", "rate.limited", "too many requests; try again later");
    public static readonly BrokerError Busy = new(503, "HTTPFailed", "broker.busy", "too many handshakes are open; try again later");
    public static readonly BrokerError Unavailable = new(503, "PluginInternalError", "broker.unavailable", "the broker cannot do it at present; try again later");
    public static readonly BrokerError Internal = new(500, "PluginInternalError", "broker.failed", "the broker could not do it");

    public static readonly BrokerError VersionUnsupported = new(400, "AttestationError", "protocol.version", "only version 0.4.0 of the protocol is spoken");
    public static readonly BrokerError TeeUnsupported = new(400, "AttestationError", "tee.unsupported", "evidence of this TEE cannot be judged here");
    public static readonly BrokerError KeyUnsupported = new(400, "AttestationError", "key.unsupported", "the key or its algorithm is not supported");
    public static readonly BrokerError SessionMissing = new(401, "AttestationError", "session.missing", "there is no session; begin with /auth");
    public static readonly BrokerError SessionUnknown = new(401, "AttestationError", "session.unknown", "the session is unknown or has expired; begin with /auth");
    public static readonly BrokerError SessionUsed = new(401, "AttestationError", "session.used", "the session's nonce was used; begin with /auth");
    public static readonly BrokerError NonceMismatch = new(401, "AttestationError", "nonce.mismatch", "the nonce is not the session's; begin with /auth");
    public static readonly BrokerError EvidenceMalformed = new(400, "AttestationError", "evidence.malformed", "the evidence does not follow its format");
    public static readonly BrokerError InitDataMalformed = new(400, "AttestationError", "init_data.malformed", "the init-data does not follow its format");
    public static readonly BrokerError EvidenceRefused = new(403, "AttestationError", "evidence.refused", "the evidence was refused");

    public static readonly BrokerError OtherEndpoint = new(404, "InvalidRequestPath", "endpoint.other", "this route is at the RA-TLS endpoint");
    public static readonly BrokerError ChallengeNeeded = new(401, "AttestationError", "challenge.needed", "answer a challenge on this connection first: GET, then POST, /kist/v1/ra-tls/challenge");

    public static readonly BrokerError TokenMissing = new(401, "TokenNotFound", "token.missing", "neither an attested session nor a bearer token was presented");
    public static readonly BrokerError TokenInvalid = new(401, "TokenVerifierError", "token.invalid", "the token is not valid here");
    public static readonly BrokerError TokenExpired = new(401, "TokenVerifierError", "token.expired", "the token has expired; attest again");
    public static readonly BrokerError WorkloadRevoked = new(403, "PolicyDeny", "workload.revoked", "this workload may have no more secrets");
    public static readonly BrokerError PolicyDenied = new(403, "PolicyDeny", "policy.denied", "the policy does not allow it");
    public static readonly BrokerError PolicyFailed = new(500, "PolicyEngineError", "policy.failed", "the policy could not be evaluated");
    public static readonly BrokerError PolicyMalformed = new(400, "ParsePolicyError", "policy.malformed", "the policy is not valid Rego");
    public static readonly BrokerError LeaseExhausted = new(403, "PolicyDeny", "lease.exhausted", "the secret's lease has ended");

    public static readonly BrokerError ResourceUnknown = new(404, "PluginInternalError", "resource.unknown", "there is no such resource");
    public static readonly BrokerError ReferenceUnknown = new(404, "RvpsError", "reference.unknown", "there is no such reference value");
    public static readonly BrokerError ReferenceMalformed = new(400, "RvpsError", "reference.malformed", "the reference values do not follow their format");
    public static readonly BrokerError ReferenceUnsigned = new(403, "RvpsError", "reference.unsigned", "reference values are taken here only if somebody who is trusted for that signed them");
    public static readonly BrokerError NotFound = new(404, "InvalidRequestPath", "object.unknown", "there is no such object");
    public static readonly BrokerError Conflict = new(409, "PluginInternalError", "object.conflict", "the object exists, or is not in the state that this needs");

    public static readonly BrokerError AdminUnauthenticated = new(401, "AdminAuthAccess", "admin.unauthenticated", "an administrator's bearer token is needed");
    public static readonly BrokerError AdminForbidden = new(403, "AdminAuthAccess", "admin.forbidden", "the token's role does not allow it");

    /// <summary>This error with a sentence that says more; only where the peer may know it.</summary>
    public BrokerError Saying(string detail) => this with { Detail = detail };
}
