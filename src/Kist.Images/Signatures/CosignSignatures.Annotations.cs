using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Images.Signatures;

public static partial class CosignSignatures
{
    private const int MaxChain = 8;

    /// <summary>Reads a signature whose proof stands in annotations.</summary>
    private static CosignSignature FromAnnotations(byte[] payload, string signature, IReadOnlyDictionary<string, string> annotations)
    {
        var chain = annotations.GetValueOrDefault(ChainAnnotation) is { Length: > 0 } pem ? ReadCertificates(pem) : [];
        return new CosignSignature(payload, Base64(signature))
        {
            Certificate = annotations.GetValueOrDefault(CertificateAnnotation) is { Length: > 0 } certificate ? ReadCertificates(certificate).FirstOrDefault() : null,
            Chain = chain,
            LogEntries = annotations.GetValueOrDefault(LogAnnotation) is { Length: > 0 } bundle ? [ReadLogEntry(System.Text.Encoding.UTF8.GetBytes(bundle))] : [],
        };
    }

    // {"SignedEntryTimestamp": base64, "Payload": {"body": base64, "integratedTime": n, "logIndex": n, "logID": hex}}
    private static LogEntry ReadLogEntry(byte[] json)
    {
        const string Structure = "log annotation";
        using var document = StrictJson.ParseObject(json, SigstoreBundle.MaxBytes, Structure, maxDepth: 8);
        if (!document.RootElement.TryGetProperty("Payload", out var payload) || payload.ValueKind != JsonValueKind.Object)
            throw new MalformedDataException(Structure, -1, "the object 'Payload' is missing");
        long Number(string name) => payload.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number)
            ? number
            : throw new MalformedDataException(Structure, -1, $"'{name}' is missing or no number");
        byte[] logId;
        try
        {
            logId = Convert.FromHexString(StrictJson.RequiredText(payload, "logID", Structure));
        }
        catch (FormatException e)
        {
            throw new MalformedDataException(Structure, -1, "'logID' is not hexadecimal", e);
        }

        return new LogEntry
        {
            LogId = logId,
            Index = Number("logIndex"),
            IntegratedTime = Number("integratedTime"),
            Body = Base64(StrictJson.RequiredText(payload, "body", Structure)),
            Promise = Base64(StrictJson.RequiredText(document.RootElement, "SignedEntryTimestamp", Structure)),
        };
    }

    private static List<byte[]> ReadCertificates(string pem)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(pem);
        }
        catch (CryptographicException e)
        {
            throw new MalformedDataException("certificate", -1, "it is no certificate in PEM", e);
        }

        return [.. certificates.Take(MaxChain).Select(c => c.RawData)];
    }

    private static byte[] Base64(string text)
    {
        try
        {
            return Convert.FromBase64String(text);
        }
        catch (FormatException e)
        {
            throw new MalformedDataException("signature", -1, "it is no base64", e);
        }
    }
}
