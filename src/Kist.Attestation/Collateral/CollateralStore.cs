using System.Collections.Concurrent;

namespace Kist.Attestation;

/// <summary>Collateral held in memory. Safe for concurrent use.</summary>
public sealed class CollateralStore : ICollateralSource
{
    private readonly ConcurrentDictionary<DcapCollateralKey, DcapCollateral> _dcap = new();
    private readonly ConcurrentDictionary<CollateralKey, ReadOnlyMemory<byte>> _other = new();

    /// <summary>Adds or replaces Intel's collateral for one kind of platform.</summary>
    public void Add(DcapCollateralKey key, DcapCollateral collateral) => _dcap[key] = collateral;

    /// <summary>Adds or replaces any other collateral.</summary>
    public void Add(CollateralKey key, ReadOnlyMemory<byte> data) => _other[key] = data;

    /// <inheritdoc/>
    public DcapCollateral? FindDcap(DcapCollateralKey key) => _dcap.GetValueOrDefault(key);

    /// <inheritdoc/>
    public ReadOnlyMemory<byte>? Find(CollateralKey key) => _other.TryGetValue(key, out var data) ? data : default(ReadOnlyMemory<byte>?);
}
