using Kist.Measurement.Tdx;

namespace Kist.Host;

/// <summary>Tells the owner's key broker which guests are the owner's.</summary>
public interface IReferenceRegistrar
{
    /// <summary>Registers what one workload's guest will show. It may be known already.</summary>
    /// <param name="name">The workload, for people.</param>
    /// <param name="values">The registers, which must match together.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task RegisterAsync(string name, TdxReferenceValues values, CancellationToken cancellationToken);
}
