namespace Kist.Attestation;

/// <summary>Asks one source, and then another where the first knows nothing.</summary>
/// <param name="first">Asked first.</param>
/// <param name="second">Asked where <paramref name="first"/> has no answer.</param>
public sealed class LayeredCollateral(ICollateralSource first, ICollateralSource second) : ICollateralSource
{
    /// <inheritdoc/>
    public DcapCollateral? FindDcap(DcapCollateralKey key) => first.FindDcap(key) ?? second.FindDcap(key);

    /// <inheritdoc/>
    public ReadOnlyMemory<byte>? Find(CollateralKey key) => first.Find(key) ?? second.Find(key);
}
