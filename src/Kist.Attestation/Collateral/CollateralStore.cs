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

    /// <summary>Intel's collateral, sorted by key.</summary>
    internal IEnumerable<(DcapCollateralKey Key, DcapCollateral Collateral)> Dcap =>
        _dcap.Select(p => (p.Key, p.Value)).OrderBy(p => $"{p.Key.Fmspc}/{p.Key.Tee}/{p.Key.Ca}", StringComparer.Ordinal);

    /// <summary>All other collateral, sorted by key.</summary>
    internal IEnumerable<(CollateralKey Key, ReadOnlyMemory<byte> Data)> Other =>
        _other.Select(p => (p.Key, p.Value)).OrderBy(p => $"{p.Key.Kind}/{p.Key.Name}", StringComparer.Ordinal);

    /// <inheritdoc/>
    public DcapCollateral? FindDcap(DcapCollateralKey key) => _dcap.GetValueOrDefault(key);

    /// <inheritdoc/>
    public ReadOnlyMemory<byte>? Find(CollateralKey key) => _other.TryGetValue(key, out var data) ? data : default(ReadOnlyMemory<byte>?);
}
