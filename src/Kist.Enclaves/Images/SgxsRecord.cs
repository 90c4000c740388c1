namespace Kist.Enclaves.Images;

/// <summary>What a record of an SGXS stream does.</summary>
internal enum SgxsRecordKind
{
    None,
    Create,
    AddPage,
    Extend,
    Unmeasured,
}

/// <summary>One record of an SGXS stream.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Position">Where it starts in the stream.</param>
/// <param name="Offset">Offset in the enclave; for ECREATE the enclave's size.</param>
/// <param name="Value">SECINFO.FLAGS; for ECREATE SSAFRAMESIZE.</param>
internal readonly record struct SgxsRecord(SgxsRecordKind Kind, int Position, ulong Offset, ulong Value);

/// <summary>Is shown every record in order, with its bytes and its chunk's.</summary>
internal delegate void SgxsVisitor(in SgxsRecord record, ReadOnlySpan<byte> bytes);
