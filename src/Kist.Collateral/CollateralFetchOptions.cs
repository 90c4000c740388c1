namespace Kist.Collateral;

/// <summary>How vendors' servers are asked.</summary>
public sealed record CollateralFetchOptions
{
    /// <summary>How long one request may take, answer included.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The largest answer that is read, in bytes.</summary>
    public int SizeLimit { get; init; } = 4 * 1024 * 1024;

    /// <summary>The least time between two requests to one server.</summary>
    public TimeSpan Spacing { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a cached revocation list is used before it is fetched again. Certificates are kept for good.</summary>
    public TimeSpan CrlFreshness { get; init; } = TimeSpan.FromHours(24);

    /// <summary>
    /// How long Intel's cached collateral is used before it is fetched again; it is fetched sooner once a part of it has expired.
    /// </summary>
    public TimeSpan DcapFreshness { get; init; } = TimeSpan.FromHours(24);

    /// <summary>
    /// True to use a cached revocation list that is due for renewal when the server cannot be reached. Its own end of validity
    /// is judged by the verifier in any case.
    /// </summary>
    public bool UseStaleOnError { get; init; } = true;

    /// <summary>True never to use the network: only what is cached is found.</summary>
    public bool Offline { get; init; }
}
