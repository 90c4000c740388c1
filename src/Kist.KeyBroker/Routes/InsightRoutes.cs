using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Kist.Attestation;
using Kist.Formats;
using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.Routes;

/// <summary>/kist/v1/status, and /kist/v1/explain: any evidence, judged and taken apart for who administers.</summary>
sealed class InsightRoutes(BrokerServices services, ServerCertificate certificate)
{
    private readonly DateTimeOffset _started = services.Options.Time.GetUtcNow();

    /// <summary>What runs here, and who asks; for any administrator.</summary>
    public Reply Status(BrokerContext context)
    {
        if (context.Method != "GET")
            throw new BrokerRefusal(BrokerError.MethodNotAllowed);
        var admin = context.Require(AdminRole.Administrator);
        var options = services.Options;
        return Reply.Json(KbsJson.Write(new BrokerStatus
        {
            Version = typeof(InsightRoutes).Assembly.GetName().Version?.ToString(3) ?? "",
            StartedAt = _started,
            Database = options.PostgresConnectionString is null ? "sqlite" : "postgresql",
            AllowSimulated = options.AllowSimulated,
            AllowDebug = options.AllowDebug,
            TwoPerson = options.RequireTwoPersons,
            EvidenceDays = options.Retention.Evidence?.TotalDays,
            AuditDays = options.Retention.Entries?.TotalDays,
            TlsLibrary = TlsLibrary(),
            TlsHybridMlKem = MLKem.IsSupported,
            CertificateUntil = certificate.Certificate.NotAfter.ToUniversalTime(),
            CertificateSha256 = certificate.Certificate.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant(),
            Administrator = admin.Name,
            Roles = AdminRoles.Format(admin.Roles),
        }));
    }

    /// <summary>
    /// POST: evidence in any form that is known. It is bound to no handshake, so that it proves nothing about who sent it;
    /// what the verifier finds and what its fields say is shown.
    /// </summary>
    public async Task<Reply> ExplainAsync(BrokerContext context)
    {
        if (context.Method != "POST")
            throw new BrokerRefusal(BrokerError.MethodNotAllowed);
        context.Require(AdminRole.Administrator);
        var file = await context.ReadBodyAsync(EvidenceLimits.Evidence).ConfigureAwait(false);
        try
        {
            var inspection = EvidenceInspector.Inspect(file, context.Query("tee"));
            return JsonReply.Write(writer => Write(writer, inspection, Verdict(file, context)));
        }
        catch (MalformedDataException e)
        {
            throw new BrokerRefusal(BrokerError.Malformed.Saying(e.Message), e.Message, e);
        }
    }

    // Certificates, CRLs and event logs have fields, but are no evidence that could be judged.
    private Verdict? Verdict(ReadOnlyMemory<byte> file, BrokerContext context)
    {
        try
        {
            return EvidenceVerifier.Verify(EvidenceDetector.Detect(file, context.Query("tee")).Evidence, ExpectedBinding.None, services.Verification(context.Now));
        }
        catch (MalformedDataException)
        {
            return null;
        }
    }

    private static void Write(Utf8JsonWriter writer, EvidenceInspector.Inspection inspection, Verdict? verdict)
    {
        writer.WriteStartObject();
        writer.WriteString("kind"u8, inspection.Kind);
        writer.WriteStartArray("layers"u8);
        foreach (var layer in inspection.Layers)
            writer.WriteStringValue(layer);
        writer.WriteEndArray();
        if (verdict is not null)
        {
            writer.WritePropertyName("verdict"u8);
            VerdictJson.Write(writer, verdict);
        }

        writer.WriteStartArray("fields"u8);
        foreach (var field in inspection.Fields)
        {
            writer.WriteStartObject();
            writer.WriteString("path"u8, field.Path);
            if (field.Offset >= 0)
                writer.WriteNumber("offset"u8, field.Offset);
            writer.WriteString("value"u8, field.Value);
            if (field.Meaning is not null)
                writer.WriteString("meaning"u8, field.Meaning);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static string TlsLibrary()
    {
        var version = SafeEvpPKeyHandle.OpenSslVersion;
        return $"OpenSSL {version >> 28 & 0xf}.{version >> 20 & 0xff}.{version >> 4 & 0xff}";
    }
}
