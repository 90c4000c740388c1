using Kist.Enclaves.Sgx;

namespace Kist.Enclaves.Simulation;

/// <summary>An initialised enclave as the simulated processor knows it. Only <see cref="SimulatedProcessor"/> makes one.</summary>
public sealed class SimulatedEnclave
{
    internal SimulatedEnclave(Secs secs, Sigstruct sigstruct)
    {
        Secs = secs;
        var kss = secs.Attributes.Flags.HasFlag(EnclaveTraits.Kss);
        IsvFamilyId = kss ? sigstruct.IsvFamilyId.ToArray() : new byte[16];
        IsvExtProdId = kss ? sigstruct.IsvExtProdId.ToArray() : new byte[16];
    }

    /// <summary>The control page after EINIT.</summary>
    public Secs Secs { get; }

    internal byte[] IsvFamilyId { get; }

    internal byte[] IsvExtProdId { get; }
}
