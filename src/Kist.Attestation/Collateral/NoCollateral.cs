namespace Kist.Attestation;

/// <summary>A source that knows nothing: only evidence that carries all it needs can be accepted.</summary>
public sealed class NoCollateral : ICollateralSource
{
    private NoCollateral()
    {
    }

    /// <summary>The only instance.</summary>
    public static NoCollateral Instance { get; } = new();

    /// <inheritdoc/>
    public DcapCollateral? FindDcap(DcapCollateralKey key) => null;

    /// <inheritdoc/>
    public ReadOnlyMemory<byte>? Find(CollateralKey key) => null;
}
