using System.Collections.Immutable;

namespace Kist.Attestation.Tpm;

/// <summary>
/// TPMS_ATTEST of a quote (TPM 2.0 Library part 2 sections 10.12.12 and 10.12.1). All numbers are big-endian.
/// <code>
/// size  field
/// 4     magic            ff 54 43 47, TPM_GENERATED_VALUE
/// 2     type             80 18, TPM_ST_ATTEST_QUOTE
/// 2+n   qualifiedSigner  name of the signing key
/// 2+n   extraData        qualifying data, chosen by whoever asked
/// 17    clockInfo        clock 8, resetCount 4, restartCount 4, safe 1
/// 8     firmwareVersion
/// 4+…   pcrSelect        count 4, then hash 2, sizeofSelect 1, bits
/// 2+n   pcrDigest        digest over the selected registers
/// </code>
/// </summary>
public sealed record TpmQuote
{
    /// <summary>The signed bytes.</summary>
    public required ReadOnlyMemory<byte> Message { get; init; }

    /// <summary>qualifiedSigner.</summary>
    public required ReadOnlyMemory<byte> QualifiedSigner { get; init; }

    /// <summary>extraData: the freshness value.</summary>
    public required ReadOnlyMemory<byte> ExtraData { get; init; }

    /// <summary>clock: milliseconds that the TPM has been powered.</summary>
    public required ulong Clock { get; init; }

    /// <summary>resetCount: TPM resets since the last clear.</summary>
    public required uint ResetCount { get; init; }

    /// <summary>restartCount: restarts and resumes since the last reset.</summary>
    public required uint RestartCount { get; init; }

    /// <summary>safe: no greater clock value was reported before.</summary>
    public required bool IsClockSafe { get; init; }

    /// <summary>firmwareVersion.</summary>
    public required ulong FirmwareVersion { get; init; }

    /// <summary>pcrSelect.</summary>
    public required ImmutableArray<TpmPcrSelection> Selections { get; init; }

    /// <summary>pcrDigest.</summary>
    public required ReadOnlyMemory<byte> PcrDigest { get; init; }
}
