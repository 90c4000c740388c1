using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;

namespace Kist.KeyBroker.Hosting;

/// <summary>
/// How often one peer may call what needs no credential: a bucket of tokens for each address, or for each /64 network of
/// IPv6, since whoever has one has all of its addresses.
/// </summary>
sealed class PeerLimiter(int perSecond, int burst) : IDisposable
{
    private readonly PartitionedRateLimiter<IPAddress?> _limiter = PartitionedRateLimiter.Create<IPAddress?, UInt128>(address =>
        RateLimitPartition.GetTokenBucketLimiter(KeyOf(address), _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = burst,
            TokensPerPeriod = Math.Max(1, perSecond),
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
            QueueLimit = 0,
            AutoReplenishment = true,
        }));

    /// <summary>True if the peer may still ask; nothing is counted.</summary>
    public bool HasRoom(IPAddress? peer)
    {
        using var lease = _limiter.AttemptAcquire(peer, 0);
        return lease.IsAcquired;
    }

    /// <summary>Counts one request against the peer. False if it has asked too often.</summary>
    public bool TryAcquire(IPAddress? peer)
    {
        using var lease = _limiter.AttemptAcquire(peer);
        return lease.IsAcquired;
    }

    public void Dispose() => _limiter.Dispose();

    private static UInt128 KeyOf(IPAddress? address)
    {
        if (address is null)
            return UInt128.MaxValue;
        if (address.AddressFamily == AddressFamily.InterNetwork)
            address = address.MapToIPv6();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        if (!address.IsIPv4MappedToIPv6)
            bytes[8..].Clear();
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
