using System.Buffers;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Attestation;

/// <summary>
/// Intel's collateral of one kind of platform as one JSON document, for caches and bundles: {"fmspc", "ca": "platform" |
/// "processor", "tee", "tcbInfo", "tcbInfoIssuerChain", "qeIdentity", "qeIdentityIssuerChain", "pckCrl", "pckCrlIssuerChain",
/// "rootCaCrl", "pckCertificateChain"}, each part in base64 exactly as received; parts that are empty are left out.
/// </summary>
public static class DcapCollateralJson
{
    private const string Structure = "DCAP collateral document";

    /// <summary>The document.</summary>
    public static byte[] Write(DcapCollateralKey key, DcapCollateral collateral)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
            Write(writer, key, collateral);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads a document. Its parts are not looked at.</summary>
    /// <exception cref="MalformedDataException">It does not follow its format.</exception>
    public static (DcapCollateralKey Key, DcapCollateral Collateral) Parse(ReadOnlyMemory<byte> document)
    {
        if (document.Length > 4 * EvidenceLimits.Crl)
            throw new MalformedDataException(Structure, -1, $"{document.Length} bytes, more than the limit of {4 * EvidenceLimits.Crl}");
        return StrictJson.Guard(Structure, () =>
        {
            using var parsed = JsonDocument.Parse(document, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 2 });
            return Read(parsed.RootElement);
        });
    }

    internal static void Write(Utf8JsonWriter writer, DcapCollateralKey key, DcapCollateral collateral)
    {
        writer.WriteStartObject();
        writer.WriteString("fmspc", key.Fmspc);
        writer.WriteString("ca", key.Ca == PckCa.Platform ? "platform" : "processor");
        writer.WriteString("tee", key.Tee);
        Write(writer, "tcbInfo", collateral.TcbInfo);
        Write(writer, "tcbInfoIssuerChain", collateral.TcbInfoIssuerChain);
        Write(writer, "qeIdentity", collateral.QeIdentity);
        Write(writer, "qeIdentityIssuerChain", collateral.QeIdentityIssuerChain);
        Write(writer, "pckCrl", collateral.PckCrl);
        Write(writer, "pckCrlIssuerChain", collateral.PckCrlIssuerChain);
        Write(writer, "rootCaCrl", collateral.RootCaCrl);
        Write(writer, "pckCertificateChain", collateral.PckCertificateChain);
        writer.WriteEndObject();
    }

    internal static (DcapCollateralKey Key, DcapCollateral Collateral) Read(JsonElement item)
    {
        var ca = EvidenceJson.RequireString(item, "ca", Structure) switch
        {
            "platform" => PckCa.Platform,
            "processor" => PckCa.Processor,
            var other => throw new MalformedDataException(Structure, -1, $"ca {other} is neither platform nor processor"),
        };
        return (
            new DcapCollateralKey(EvidenceJson.RequireString(item, "fmspc", Structure), ca, EvidenceJson.RequireString(item, "tee", Structure)),
            new DcapCollateral
            {
                TcbInfo = Data(item, "tcbInfo"),
                TcbInfoIssuerChain = Data(item, "tcbInfoIssuerChain"),
                QeIdentity = Data(item, "qeIdentity"),
                QeIdentityIssuerChain = Data(item, "qeIdentityIssuerChain"),
                PckCrl = Data(item, "pckCrl"),
                PckCrlIssuerChain = Data(item, "pckCrlIssuerChain"),
                RootCaCrl = Data(item, "rootCaCrl"),
                PckCertificateChain = Data(item, "pckCertificateChain"),
            });
    }

    private static ReadOnlyMemory<byte> Data(JsonElement item, string name) =>
        EvidenceJson.OptionalBase64(item, name, Structure) ?? default(ReadOnlyMemory<byte>);

    private static void Write(Utf8JsonWriter writer, string name, ReadOnlyMemory<byte> data)
    {
        if (!data.IsEmpty)
            writer.WriteBase64String(name, data.Span);
    }
}
