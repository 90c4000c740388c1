namespace Kist.KeyBroker.Protocol;

/// <summary>Which entries of the audit log to look for; what is null does not matter.</summary>
public sealed record AuditSearch
{
    /// <summary>Only entries before this position; for the next page.</summary>
    public long? Before { get; init; }

    /// <summary>How many at most, up to 1000.</summary>
    public int Limit { get; init; } = 100;

    /// <summary>From this time on.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Before this time.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>A tenant's name.</summary>
    public string? Tenant { get; init; }

    /// <summary>"attest", "resource.read", "policy.resource.set", …</summary>
    public string? Kind { get; init; }

    /// <summary>"allowed", "denied" or "failed".</summary>
    public string? Outcome { get; init; }

    /// <summary>The correlation id that a peer was told.</summary>
    public string? Correlation { get; init; }

    /// <summary>A secret's path, a policy's scope, a reference value's name.</summary>
    public string? Resource { get; init; }

    /// <summary>The thumbprint of a guest's key.</summary>
    public string? Workload { get; init; }

    /// <summary>An administrator's name.</summary>
    public string? Actor { get; init; }

    /// <summary>A TEE's name.</summary>
    public string? Tee { get; init; }
}
