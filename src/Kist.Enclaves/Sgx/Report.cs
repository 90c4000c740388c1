using Kist.Formats;

namespace Kist.Enclaves.Sgx;

/// <summary>
/// A REPORT: a body that the enclave named by a TARGETINFO can check, and nobody else, on the same processor.
/// <code>
///    0  384  body                                                  Intel SDM vol. 3D, 36.15
///  384   32  KEYID
///  416   16  MAC     AES-128-CMAC over the body, under the target's report key
/// </code>
/// </summary>
public sealed class Report : Structure
{
    /// <summary>Bytes of the structure.</summary>
    public const int SizeInBytes = 432;

    private const string Name = "REPORT";

    /// <summary>Composes a report.</summary>
    public Report(ReportBody body, ReadOnlySpan<byte> keyId, ReadOnlySpan<byte> mac)
        : base(SizeInBytes)
    {
        Body = body;
        Set(0, ReportBody.SizeInBytes, body.Bytes);
        Set(384, 32, keyId);
        Set(416, 16, mac);
    }

    private Report(ReadOnlySpan<byte> source)
        : base(source, SizeInBytes, Name) => Body = ReportBody.Parse(source[..ReportBody.SizeInBytes]);

    /// <summary>Parses a report. Its MAC is not checked: only the target can.</summary>
    /// <exception cref="MalformedDataException">It is none.</exception>
    public static Report Parse(ReadOnlySpan<byte> source) => new(source);

    /// <summary>What is reported.</summary>
    public ReportBody Body { get; }

    /// <summary>KEYID, 32 bytes: varies the report key.</summary>
    public ReadOnlySpan<byte> KeyId => Field(384, 32);

    /// <summary>MAC, 16 bytes.</summary>
    public ReadOnlySpan<byte> Mac => Field(416, 16);
}
