namespace Kist.Simulator;

/// <summary>How a simulated SNP machine and its reports are to be, for tests of a verifier. The defaults are faultless.</summary>
public sealed record SimulatedSnpOptions
{
    /// <summary>A faultless machine.</summary>
    public static SimulatedSnpOptions Default { get; } = new();

    /// <summary>Which machine of the vendor it is; each number is another chip.</summary>
    public int Instance { get; init; }

    /// <summary>The signature of reports does not hold.</summary>
    public bool BadSignature { get; init; }

    /// <summary>Reports name another chip than the certificate.</summary>
    public bool OtherChip { get; init; }

    /// <summary>Reports state a newer TCB than the certificate.</summary>
    public bool OtherTcb { get; init; }
}
