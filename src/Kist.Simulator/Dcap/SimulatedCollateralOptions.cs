namespace Kist.Simulator;

/// <summary>How the collateral of a simulated vendor is to be, for tests of a verifier. The defaults are faultless.</summary>
public sealed record SimulatedCollateralOptions
{
    /// <summary>Faultless collateral.</summary>
    public static SimulatedCollateralOptions Default { get; } = new();

    /// <summary>How long TCB info, identities and CRLs are valid.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Status of the newest TCB level: UpToDate, SWHardeningNeeded or ConfigurationNeeded.</summary>
    public SimulatedTcbStatus NewestLevel { get; init; } = SimulatedTcbStatus.UpToDate;

    /// <summary>tcbEvaluationDataNumber.</summary>
    public int TcbEvaluationDataNumber { get; init; } = 20;

    /// <summary>TCB info expired a day before it was issued here.</summary>
    public bool ExpiredTcbInfo { get; init; }

    /// <summary>The quoting enclave's identity expired a day before it was issued here.</summary>
    public bool ExpiredQeIdentity { get; init; }

    /// <summary>The CRLs expired a day before they were issued here.</summary>
    public bool ExpiredCrls { get; init; }

    /// <summary>The CRL of the PCK authority lists the platform's certificate.</summary>
    public bool RevokedPck { get; init; }

    /// <summary>The root's CRL lists the PCK authority.</summary>
    public bool RevokedPckCa { get; init; }

    /// <summary>The root's CRL lists the TCB signing certificate.</summary>
    public bool RevokedTcbSigning { get; init; }

    /// <summary>The signature of the TCB info does not hold.</summary>
    public bool BadTcbInfoSignature { get; init; }

    /// <summary>The signature of the quoting enclave's identity does not hold.</summary>
    public bool BadQeIdentitySignature { get; init; }

    /// <summary>The identity asks for a newer quoting enclave than the platform has.</summary>
    public bool QuotingEnclaveOutOfDate { get; init; }

    /// <summary>The identity is of another quoting enclave.</summary>
    public bool OtherQuotingEnclave { get; init; }

    /// <summary>TCB info asks for a newer TDX module than the platform has.</summary>
    public bool TdxModuleOutOfDate { get; init; }

    /// <summary>TCB info is of another kind of platform.</summary>
    public bool OtherFmspc { get; init; }
}
