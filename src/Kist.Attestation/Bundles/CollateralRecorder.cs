namespace Kist.Attestation;

/// <summary>Passes look-ups on, and remembers what was found.</summary>
internal sealed class CollateralRecorder(ICollateralSource source) : ICollateralSource
{
    /// <summary>Everything that was looked up and found.</summary>
    public CollateralStore Recorded { get; } = new();

    public DcapCollateral? FindDcap(DcapCollateralKey key)
    {
        var found = source.FindDcap(key);
        if (found is not null)
            Recorded.Add(key, found);
        return found;
    }

    public ReadOnlyMemory<byte>? Find(CollateralKey key)
    {
        var found = source.Find(key);
        if (found is { } data)
            Recorded.Add(key, data);
        return found;
    }
}
