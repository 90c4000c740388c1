namespace Kist.KeyBroker.Protocol;

/// <summary>Names, numbers and limits of the KBS attestation protocol, version 0.4.0.</summary>
public static class KbsProtocol
{
    /// <summary>The protocol's version. Both sides match it exactly; there is no negotiation.</summary>
    public const string Version = "0.4.0";

    /// <summary>Path below which all routes of the protocol lie.</summary>
    public const string BasePath = "/kbs/v0";

    /// <summary>Path below which Kist's own routes lie.</summary>
    public const string KistBasePath = "/kist/v1";

    /// <summary>The cookie that carries the session: a UUID version 4 without dashes.</summary>
    public const string SessionCookie = "kbs-session-id";

    /// <summary>Bytes of a nonce.</summary>
    public const int NonceBytes = 32;

    /// <summary>Largest /auth request in bytes.</summary>
    public const int MaxAuthBytes = 64 * 1024;

    /// <summary>Largest /attest request in bytes: the evidence and event logs of a machine with eight GPUs fit.</summary>
    public const int MaxAttestBytes = 8 * 1024 * 1024;

    /// <summary>Longest token in characters; it travels in a request's head.</summary>
    public const int MaxTokenLength = 512 * 1024;

    /// <summary>Largest secret in bytes.</summary>
    public const int MaxResourceBytes = 2 * 1024 * 1024;

    /// <summary>Largest answer that carries a secret: base64url in JSON, with its header.</summary>
    public const int MaxResourceResponseBytes = (MaxResourceBytes / 3 * 4) + (64 * 1024);

    /// <summary>Largest policy text in bytes.</summary>
    public const int MaxPolicyBytes = 256 * 1024;

    /// <summary>The prefix of the "type" member of errors, before the name of a variant.</summary>
    public const string ErrorTypePrefix = "https://github.com/confidential-containers/kbs/errors/";
}
