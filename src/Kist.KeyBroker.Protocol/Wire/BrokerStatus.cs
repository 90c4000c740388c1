using System.Text.Json.Serialization;

namespace Kist.KeyBroker.Protocol;

/// <summary>Answer to GET /kist/v1/status: what runs here, and who asks.</summary>
public sealed record BrokerStatus
{
    /// <summary>The version of Kist.</summary>
    [JsonPropertyName("version")]
    public required string Version { get; init; }

    /// <summary>When this process started.</summary>
    [JsonPropertyName("started_at")]
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>"sqlite" or "postgresql".</summary>
    [JsonPropertyName("database")]
    public required string Database { get; init; }

    /// <summary>True if simulated platforms, which protect nothing, are accepted.</summary>
    [JsonPropertyName("allow_simulated")]
    public required bool AllowSimulated { get; init; }

    /// <summary>True if TEEs into which the machine's owner may look are accepted.</summary>
    [JsonPropertyName("allow_debug")]
    public required bool AllowDebug { get; init; }

    /// <summary>True if changes wait for a second person.</summary>
    [JsonPropertyName("two_person")]
    public required bool TwoPerson { get; init; }

    /// <summary>Days that evidence is kept; null for ever.</summary>
    [JsonPropertyName("evidence_days")]
    public double? EvidenceDays { get; init; }

    /// <summary>Days that audit entries are kept; null for ever.</summary>
    [JsonPropertyName("audit_days")]
    public double? AuditDays { get; init; }

    /// <summary>The TLS library, whose default groups the broker takes.</summary>
    [JsonPropertyName("tls_library")]
    public required string TlsLibrary { get; init; }

    /// <summary>True if the library has ML-KEM, and so agrees on keys with X25519MLKEM768 where the peer has it too.</summary>
    [JsonPropertyName("tls_hybrid_ml_kem")]
    public required bool TlsHybridMlKem { get; init; }

    /// <summary>When the present certificate ends.</summary>
    [JsonPropertyName("certificate_until")]
    public required DateTimeOffset CertificateUntil { get; init; }

    /// <summary>The SHA-256 of the present certificate, hexadecimal.</summary>
    [JsonPropertyName("certificate_sha256")]
    public required string CertificateSha256 { get; init; }

    /// <summary>The name of the administrator who asks.</summary>
    [JsonPropertyName("administrator")]
    public required string Administrator { get; init; }

    /// <summary>That one's roles, with commas.</summary>
    [JsonPropertyName("roles")]
    public required string Roles { get; init; }
}
