namespace Kist.Attestation.Dcap;

/// <summary>
/// A quote signed by Intel's quoting enclaves: version 3 (SGX), 4 (SGX or TDX 1.0) or 5 (SGX, TDX 1.0 or 1.5). The bytes
/// are kept as received. Read by <see cref="DcapQuoteReader"/>.
/// </summary>
public sealed class DcapQuote
{
    internal DcapQuote()
    {
    }

    /// <summary>The whole input, with whatever followed the quote.</summary>
    public required ReadOnlyMemory<byte> Raw { get; init; }

    /// <summary>3, 4 or 5.</summary>
    public required ushort Version { get; init; }

    /// <summary>True for a TD quote.</summary>
    public required bool IsTdx { get; init; }

    /// <summary>Header, 48 bytes.</summary>
    public required ReadOnlyMemory<byte> Header { get; init; }

    /// <summary>Type of the body as version 5 numbers them: 1 SGX, 2 TDX 1.0, 3 TDX 1.5.</summary>
    public required ushort BodyType { get; init; }

    /// <summary>The report.</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Offset of <see cref="Body"/>.</summary>
    public required int BodyOffset { get; init; }

    /// <summary>What <see cref="Signature"/> is over: everything before the length of the signature data.</summary>
    public required ReadOnlyMemory<byte> SignedBytes { get; init; }

    /// <summary>ECDSA signature by <see cref="AttestationKey"/>, r then s.</summary>
    public required ReadOnlyMemory<byte> Signature { get; init; }

    /// <summary>P-256 point, x then y.</summary>
    public required ReadOnlyMemory<byte> AttestationKey { get; init; }

    /// <summary>The quoting enclave's own report.</summary>
    public required EnclaveReport QeReport { get; init; }

    /// <summary>ECDSA signature over <see cref="QeReport"/> by the platform's PCK.</summary>
    public required ReadOnlyMemory<byte> QeReportSignature { get; init; }

    /// <summary>QE authentication data: whatever the quoting enclave binds besides its key.</summary>
    public required ReadOnlyMemory<byte> QeAuthenticationData { get; init; }

    /// <summary>Type of <see cref="CertificationData"/>.</summary>
    public required CertificationDataType CertificationDataType { get; init; }

    /// <summary>What leads to the PCK certificate.</summary>
    public required ReadOnlyMemory<byte> CertificationData { get; init; }

    /// <summary>Offset of <see cref="CertificationData"/>.</summary>
    public required int CertificationDataOffset { get; init; }

    /// <summary>Offset of the signature data (after its length).</summary>
    public required int SignatureDataOffset { get; init; }

    /// <summary>Bytes after the quote's stated end. They are signed by nobody and never looked at.</summary>
    public required int TrailingBytes { get; init; }

    /// <summary>QE identity of the platform: the first 16 bytes of the header's user data.</summary>
    public ReadOnlyMemory<byte> QeId => Header.Slice(28, 16);
}
