using Kist.Attestation;
using Kist.Simulator;

namespace Kist.Host;

/// <summary>The simulated vendor's collateral, issued anew before it expires, as a vendor's service would.</summary>
internal sealed class RefreshingCollateral(SimulatedVendor vendor, TimeProvider time) : ICollateralSource
{
    private static readonly TimeSpan MaxAge = TimeSpan.FromDays(7);

    private readonly Lock _lock = new();
    private SimulatedCollateral _issued = SimulatedCollateral.Issue(vendor, time.GetUtcNow());
    private DateTimeOffset _issuedAt = time.GetUtcNow();

    public DcapCollateral? FindDcap(DcapCollateralKey key) => Current().FindDcap(key);

    public ReadOnlyMemory<byte>? Find(CollateralKey key) => Current().Find(key);

    private SimulatedCollateral Current()
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            if (now - _issuedAt > MaxAge)
            {
                _issued = SimulatedCollateral.Issue(vendor, now);
                _issuedAt = now;
            }

            return _issued;
        }
    }
}
