namespace Kist.Attestation;

/// <summary>
/// What vendors sign about their platforms, as values. Look-ups are synchronous and never reach the network: whoever
/// calls the verifier fetches first (see <see cref="Evidence"/> for what a piece of evidence needs).
/// Implementations must be safe for concurrent use.
/// </summary>
public interface ICollateralSource
{
    /// <summary>Intel's collateral for one kind of platform, or null where it is not known.</summary>
    DcapCollateral? FindDcap(DcapCollateralKey key);

    /// <summary>Any other collateral as its bytes, or null where it is not known.</summary>
    ReadOnlyMemory<byte>? Find(CollateralKey key);
}
