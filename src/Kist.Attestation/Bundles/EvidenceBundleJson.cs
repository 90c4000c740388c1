using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Kist.Attestation.Snp;
using Kist.Formats;

namespace Kist.Attestation;

/// <summary>
/// A bundle as one file:
/// <code>
/// { "kistBundle": 1, "tee", "time",
///   "evidence": { "bytes": base64 | "json": {…}, "eventLog": base64, "certificates": base64 },
///   "binding": { "reportData": hexadecimal, "initDataDigest": hexadecimal },
///   "policy": { … }, "snp": { … }, "allowSimulated", "allowDebug", "references": [{ "claim", "accepted": […] }],
///   "anchors": [{ … }], "accepted",
///   "collateral": { "dcap": [{ "fmspc", "ca", "tee", "tcbInfo", …: base64 }], "other": [{ "kind", "name", "data": base64 }] } }
/// </code>
/// Members without a value are left out. What anchors trust (keys of TPMs that no authority certifies, the secrets of an IBM Secure
/// Execution request) is not kept: whoever judges the bundle must have it.
/// </summary>
public static class EvidenceBundleJson
{
    /// <summary>The largest bundle that is read.</summary>
    public const int MaxSize = 64 * 1024 * 1024;

    private const int Version = 1;
    private const int MaxItems = 256;
    private const string Structure = "evidence bundle";

    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    /// <summary>Writes a bundle, with a final newline.</summary>
    public static byte[] Write(EvidenceBundle bundle)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteNumber("kistBundle", Version);
            writer.WriteString("tee", bundle.Evidence.Tee);
            writer.WriteString("time", bundle.Options.Time.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture));
            WriteEvidence(writer, bundle.Evidence);
            WriteBinding(writer, bundle.Binding);
            writer.WritePropertyName("policy");
            TcbPolicyJson.Write(writer, bundle.Options.Tcb);
            if (bundle.Options.Snp != SnpPolicy.Default)
            {
                writer.WritePropertyName("snp");
                SnpPolicyJson.Write(writer, bundle.Options.Snp);
            }

            writer.WriteBoolean("allowSimulated", bundle.Options.AllowSimulated);
            writer.WriteBoolean("allowDebug", bundle.Options.AllowDebug);
            WriteReferences(writer, bundle.Options.References);
            writer.WriteStartArray("anchors");
            foreach (var anchor in bundle.Options.Anchors.Anchors)
                writer.WriteRawValue(TrustAnchorJson.Write(anchor));
            writer.WriteEndArray();
            writer.WriteBoolean("accepted", bundle.WasAccepted);
            WriteCollateral(writer, bundle.Options.Collateral);
            writer.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>True if this looks like a bundle rather than bare evidence.</summary>
    public static bool IsBundle(ReadOnlySpan<byte> file) => file[..Math.Min(file.Length, 64)].IndexOf("\"kistBundle\""u8) >= 0;

    /// <summary>Reads a bundle.</summary>
    /// <exception cref="MalformedDataException">It does not follow its format.</exception>
    public static EvidenceBundle Parse(ReadOnlyMemory<byte> file)
    {
        if (file.Length > MaxSize)
            throw new MalformedDataException(Structure, -1, $"{file.Length} bytes, more than the limit of {MaxSize}");
        return StrictJson.Guard(Structure, () =>
        {
            using var document = JsonDocument.Parse(file, s_strict);
            return Read(document.RootElement);
        });
    }

    private static EvidenceBundle Read(JsonElement root)
    {
        var version = EvidenceJson.RequireUInt64(root, "kistBundle", Structure);
        if (version != Version)
            throw new MalformedDataException(Structure, -1, $"version {version} is not known ({Version} is)");
        return new EvidenceBundle
        {
            Evidence = ReadEvidence(root),
            Binding = ReadBinding(root),
            WasAccepted = RequireFlag(root, "accepted"),
            Options = new VerificationOptions
            {
                Time = ReadTime(root),
                Anchors = new TrustAnchorSet([.. Items(root, "anchors").Select(a => TrustAnchorJson.Parse(System.Text.Encoding.UTF8.GetBytes(a.GetRawText())))]),
                Tcb = TcbPolicyJson.Parse(System.Text.Encoding.UTF8.GetBytes(EvidenceJson.Require(root, "policy", Structure).GetRawText())),
                Snp = EvidenceJson.Optional(root, "snp", Structure) is { } snp ? SnpPolicyJson.Read(snp) : SnpPolicy.Default,
                AllowSimulated = RequireFlag(root, "allowSimulated"),
                AllowDebug = RequireFlag(root, "allowDebug"),
                References = [.. Items(root, "references").Select(ReadReference)],
                Collateral = ReadCollateral(EvidenceJson.Require(root, "collateral", Structure)),
            },
        };
    }

    private static void WriteEvidence(Utf8JsonWriter writer, Evidence evidence)
    {
        writer.WriteStartObject("evidence");
        if (evidence.Json is { } json)
        {
            writer.WritePropertyName("json");
            json.WriteTo(writer);
        }
        else
        {
            writer.WriteBase64String("bytes", evidence.Bytes.Span);
        }

        WriteOptional(writer, "eventLog", evidence.EventLog);
        WriteOptional(writer, "certificates", evidence.Certificates);
        writer.WriteEndObject();
    }

    private static Evidence ReadEvidence(JsonElement root)
    {
        var evidence = EvidenceJson.Require(root, "evidence", Structure);
        var json = EvidenceJson.Optional(evidence, "json", Structure)?.Clone();
        return new Evidence
        {
            Tee = EvidenceJson.RequireString(root, "tee", Structure),
            Json = json,
            Bytes = json is null ? EvidenceJson.RequireBase64(evidence, "bytes", Structure) : default,
            EventLog = EvidenceJson.OptionalBase64(evidence, "eventLog", Structure) ?? default(ReadOnlyMemory<byte>),
            Certificates = EvidenceJson.OptionalBase64(evidence, "certificates", Structure) ?? default(ReadOnlyMemory<byte>),
        };
    }

    private static void WriteBinding(Utf8JsonWriter writer, ExpectedBinding binding)
    {
        writer.WriteStartObject("binding");
        if (binding.ReportData is { } reportData)
            writer.WriteHex("reportData", reportData.Span);
        if (binding.InitDataDigest is { } digest)
            writer.WriteHex("initDataDigest", digest.Span);
        writer.WriteEndObject();
    }

    private static ExpectedBinding ReadBinding(JsonElement root)
    {
        var binding = EvidenceJson.Require(root, "binding", Structure);
        return new ExpectedBinding(OptionalHex(binding, "reportData"), OptionalHex(binding, "initDataDigest"));
    }

    private static ReadOnlyMemory<byte>? OptionalHex(JsonElement parent, string name) =>
        EvidenceJson.Optional(parent, name, Structure) is null ? default(ReadOnlyMemory<byte>?) : EvidenceJson.RequireHex(parent, name, Structure);

    private static void WriteReferences(Utf8JsonWriter writer, ImmutableArray<ReferenceValue> references)
    {
        writer.WriteStartArray("references");
        foreach (var reference in references)
        {
            writer.WriteStartObject();
            writer.WriteString("claim", reference.Claim);
            writer.WriteStartArray("accepted");
            foreach (var value in reference.Accepted)
                writer.WriteStringValue(value);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static ReferenceValue ReadReference(JsonElement reference) => new(
        EvidenceJson.RequireString(reference, "claim", Structure),
        [.. Items(reference, "accepted").Select(v => v.ValueKind == JsonValueKind.String ? v.GetString()! : throw new MalformedDataException(Structure, -1, "a reference value is not text"))]);

    private static void WriteCollateral(Utf8JsonWriter writer, ICollateralSource source)
    {
        writer.WriteStartObject("collateral");
        var store = source as CollateralStore;
        writer.WriteStartArray("dcap");
        foreach (var (key, collateral) in store?.Dcap ?? [])
        {
            DcapCollateralJson.Write(writer, key, collateral);
        }

        writer.WriteEndArray();
        writer.WriteStartArray("other");
        foreach (var (key, data) in store?.Other ?? [])
        {
            writer.WriteStartObject();
            writer.WriteString("kind", key.Kind);
            writer.WriteString("name", key.Name);
            writer.WriteBase64String("data", data.Span);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static CollateralStore ReadCollateral(JsonElement collateral)
    {
        var store = new CollateralStore();
        foreach (var item in Items(collateral, "dcap"))
        {
            var (key, value) = DcapCollateralJson.Read(item);
            store.Add(key, value);
        }

        foreach (var item in Items(collateral, "other"))
        {
            store.Add(
                new CollateralKey(EvidenceJson.RequireString(item, "kind", Structure), EvidenceJson.RequireString(item, "name", Structure)),
                EvidenceJson.RequireBase64(item, "data", Structure));
        }

        return store;
    }

    private static JsonElement.ArrayEnumerator Items(JsonElement parent, string name)
    {
        var value = EvidenceJson.Require(parent, name, Structure);
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > MaxItems)
            throw new MalformedDataException(Structure, -1, $"member {name} is not an array of at most {MaxItems} elements");
        return value.EnumerateArray();
    }

    private static DateTimeOffset ReadTime(JsonElement root) =>
        DateTimeOffset.TryParse(EvidenceJson.RequireString(root, "time", Structure), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw new MalformedDataException(Structure, -1, "member time is not a time");

    private static bool RequireFlag(JsonElement parent, string name) => EvidenceJson.Require(parent, name, Structure).ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw new MalformedDataException(Structure, -1, $"member {name} is neither true nor false"),
    };

    private static void WriteOptional(Utf8JsonWriter writer, string name, ReadOnlyMemory<byte> data)
    {
        if (!data.IsEmpty)
            writer.WriteBase64String(name, data.Span);
    }
}
