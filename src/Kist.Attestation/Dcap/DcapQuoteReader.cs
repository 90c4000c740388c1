using Kist.Attestation.Sgx;
using Kist.Formats;

namespace Kist.Attestation.Dcap;

/// <summary>
/// Reads quotes (Intel SGX ECDSA Quote Library API, appendix A; Intel TDX DCAP Quote Generation Library, appendix 3).
/// <code>
/// header, 48 bytes                                    signature data, version 3
///   0  2 version                                          64 signature of header and body, r then s
///   2  2 attestation key type: 2 = ECDSA P-256            64 attestation key, x then y
///   4  4 TEE type: 0 = SGX, 0x81 = TDX (v3: reserved)    384 QE report
///   8  2 QE SVN  (v4, v5: reserved)                       64 signature of the QE report by the PCK
///  10  2 PCE SVN (v4, v5: reserved)                      2+n QE authentication data
///  12 16 QE vendor                                     2+4+n certification data: type, size, data
///  28 20 user data; QE identity in the first 16
/// version 3, 4: body       of 384 or 584 bytes        signature data, version 4 and 5
/// version 5: body type (2), body size (4), body           64, 64 as above
/// signature data size (4), signature data              2+4+n certification data of type 6, and in it
///                                                        384, 64, 2+n, 2+4+n as above
/// </code>
/// </summary>
public static class DcapQuoteReader
{
    private const int HeaderSize = 48;
    private const int MaxSignatureData = 256 * 1024;
    private const ushort EcdsaP256 = 2;
    private const ushort EcdsaP384 = 3;
    private const uint TeeSgx = 0;
    private const uint TeeTdx = 0x81;

    /// <summary>Intel's quoting enclave vendor id, 939a7233-f79c-4ca9-940a-0db3957f0607.</summary>
    internal static ReadOnlySpan<byte> IntelVendorId =>
        [0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07];

    /// <summary>True if this starts like a quote of either TEE. Never throws.</summary>
    public static bool LooksLikeQuote(ReadOnlySpan<byte> data, bool tdx)
    {
        if (data.Length < HeaderSize || !data.Slice(12, 16).SequenceEqual(IntelVendorId))
            return false;
        var isTdx = data[4] == 0x81 && data[0] >= 4;
        return isTdx == tdx;
    }

    /// <summary>Reads a quote. Bytes after its stated end are counted, not read.</summary>
    /// <exception cref="MalformedDataException">It does not follow its format, or is of a version or key type that is not known.</exception>
    public static DcapQuote Read(ReadOnlyMemory<byte> quote)
    {
        var cursor = new SpanCursor(quote.Span, "quote");
        var version = cursor.ReadUInt16LittleEndian();
        if (EpidQuote.LooksLikeQuote(quote.Span))
            throw new MalformedDataException("quote header", 0, EpidQuote.Parse(quote).Refusal());
        if (version is < 3 or > 5)
            throw new MalformedDataException("quote header", 0, $"version {version} is not known (3, 4 and 5 are)");
        var keyType = cursor.ReadUInt16LittleEndian();
        if (keyType == EcdsaP384)
            throw new MalformedDataException("quote header", 2, "attestation key type 3 (ECDSA P-384) is reserved in Intel's specification: no quoting enclave makes such quotes, and their layout is not published");
        if (keyType != EcdsaP256)
            throw new MalformedDataException("quote header", 2, $"attestation key type {keyType} is not known (2, ECDSA P-256, is)");
        var teeType = cursor.ReadUInt32LittleEndian();
        if (teeType is not (TeeSgx or TeeTdx) || (version == 3 && teeType != TeeSgx))
            throw new MalformedDataException("quote header", 4, $"TEE type {teeType:x8} is not known for version {version}");
        cursor.ReadBytes(HeaderSize - 8);
        var isTdx = teeType == TeeTdx;
        var (bodyType, bodySize) = version == 5 ? ReadBodyDescriptor(ref cursor, isTdx) : isTdx ? ((ushort)2, 584) : ((ushort)1, 384);
        var bodyOffset = cursor.Position;
        cursor.ReadBytes(bodySize);
        var signed = quote[..cursor.Position];
        var signatureSize = cursor.ReadLength32LittleEndian(MaxSignatureData, "signature data");
        var signatureOffset = cursor.Position;
        cursor.ReadBytes(signatureSize);
        var reader = new SpanCursor(quote.Span.Slice(signatureOffset, signatureSize), "quote signature data", signatureOffset);
        var signatureStart = reader.Position;
        reader.ReadBytes(128);
        if (version >= 4)
            EnterQeReportData(ref reader);
        var qe = signatureOffset + reader.Position;
        reader.ReadBytes(EnclaveReport.Size + 64);
        var authSize = reader.ReadUInt16LittleEndian();
        var auth = signatureOffset + reader.Position;
        reader.ReadBytes(authSize);
        var type = reader.ReadUInt16LittleEndian();
        if (type is < 1 or > 7 or 6)
            throw new MalformedDataException("quote certification data", signatureOffset + reader.Position - 2, $"type {type} is not known here");
        var certificationSize = reader.ReadLength32LittleEndian(MaxSignatureData, "certification data");
        var certification = signatureOffset + reader.Position;
        reader.ReadBytes(certificationSize);
        reader.ExpectEnd();
        return new DcapQuote
        {
            Raw = quote,
            Version = version,
            IsTdx = isTdx,
            Header = quote[..HeaderSize],
            BodyType = bodyType,
            Body = quote.Slice(bodyOffset, bodySize),
            BodyOffset = bodyOffset,
            SignedBytes = signed,
            Signature = quote.Slice(signatureOffset + signatureStart, 64),
            AttestationKey = quote.Slice(signatureOffset + signatureStart + 64, 64),
            QeReport = EnclaveReport.Parse(quote.Slice(qe, EnclaveReport.Size)),
            QeReportSignature = quote.Slice(qe + EnclaveReport.Size, 64),
            QeAuthenticationData = quote.Slice(auth, authSize),
            CertificationDataType = (CertificationDataType)type,
            CertificationData = quote.Slice(certification, certificationSize),
            CertificationDataOffset = certification,
            SignatureDataOffset = signatureOffset,
            TrailingBytes = cursor.Remaining,
        };
    }

    private static (ushort Type, int Size) ReadBodyDescriptor(ref SpanCursor cursor, bool isTdx)
    {
        var offset = cursor.Position;
        var type = cursor.ReadUInt16LittleEndian();
        var size = cursor.ReadUInt32LittleEndian();
        var expected = type switch { 1 when !isTdx => 384u, 2 when isTdx => 584u, 3 when isTdx => 648u, _ => 0u };
        if (expected == 0)
            throw new MalformedDataException("quote body descriptor", offset, $"body type {type} is not known for this TEE");
        if (size != expected)
            throw new MalformedDataException("quote body descriptor", offset + 2, $"body type {type} is {expected} bytes, not {size}");
        return (type, (int)size);
    }

    /// <summary>Steps over the type and size of the certification data that holds the QE report, up to the report.</summary>
    private static void EnterQeReportData(ref SpanCursor reader)
    {
        var offset = reader.Position;
        var type = reader.ReadUInt16LittleEndian();
        if (type != (ushort)CertificationDataType.QeReport)
            throw new MalformedDataException("quote certification data", offset, $"type {type} where the QE report (type 6) must be");
        var size = reader.ReadUInt32LittleEndian();
        if (size != (uint)reader.Remaining)
            throw new MalformedDataException("quote certification data", offset + 2, $"{size} bytes stated, {reader.Remaining} there");
    }
}
