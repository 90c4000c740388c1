namespace Kist.KeyBroker.Protocol;

/// <summary>Which broker a guest asks, and how patiently.</summary>
public sealed record KeyBrokerClientOptions
{
    /// <summary>The broker's address, such as https://10.0.2.2:8080.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>
    /// The broker's certificate, or the certificates that may have issued it, in PEM. Null: the system's authorities
    /// decide, and https is required all the same.
    /// </summary>
    public string? CertificatePem { get; init; }

    /// <summary>The init-data with which the guest was started, or null.</summary>
    public InitDataMessage? InitData { get; init; }

    /// <summary>Longest time for one request and its answer.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How often the handshake is done for one secret before giving up.</summary>
    public int MaxHandshakes { get; init; } = 3;

    /// <summary>
    /// How often a broker that says that it is busy (429, 503) is asked again, for one secret or token: each time later, and
    /// never sooner than it says.
    /// </summary>
    public int MaxRetries { get; init; } = 6;

    /// <summary>The longest wait before asking again. A broker that demands a longer one is not asked again.</summary>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The clock by which is waited.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>
    /// True to talk plain http. Only for tests on one machine: whoever sits between sees nothing secret, but can waste the
    /// guest's time.
    /// </summary>
    public bool AllowPlainHttp { get; init; }

    /// <summary>How to make a connection to host and port, or null for TCP by the system's resolver.</summary>
    public Func<string, int, CancellationToken, ValueTask<Stream>>? Connect { get; init; }
}
