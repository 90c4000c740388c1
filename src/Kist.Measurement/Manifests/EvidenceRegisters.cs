using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Json;
using Kist.Attestation;
using Kist.Attestation.EventLogs;
using Kist.Formats;

namespace Kist.Measurement.Manifests;

/// <summary>
/// The measurements that a piece of evidence or an event log shows, in a manifest's form, so that they can be compared with
/// a prediction. Nothing is judged: evidence that proves nothing has registers too.
/// </summary>
public static class EvidenceRegisters
{
    /// <summary>Reads evidence of a TEE in any form, an event log, or a manifest.</summary>
    /// <param name="file">The file.</param>
    /// <param name="eventLog">An event log that belongs to it; empty if there is none or the evidence has it inside.</param>
    /// <exception cref="MalformedDataException">It is none of these, or does not follow its format.</exception>
    public static MeasurementManifest Read(ReadOnlyMemory<byte> file, ReadOnlyMemory<byte> eventLog = default)
    {
        if (TryReadManifest(file) is { } manifest)
            return manifest;
        if (EventLogHeader(file.Span))
            return OfEventLog(EventLog.Parse(file));
        var evidence = EvidenceDetector.Detect(file).Evidence;
        if (!eventLog.IsEmpty)
            evidence = evidence with { EventLog = eventLog };
        return OfEvidence(evidence);
    }

    /// <summary>The registers that result from an event log, and its events.</summary>
    public static MeasurementManifest OfEventLog(EventLog log)
    {
        var tdx = log.Banks is [EventLogHash.Sha384] && log.Entries.All(e => e.Index <= 4);
        var bank = log.Banks.Contains(EventLogHash.Sha256) ? EventLogHash.Sha256 : log.Banks[0];
        var steps = log.Entries.Where(e => e.Type != EventLogs.TcgEventType.NoAction && !e.DigestOf(bank).IsEmpty)
            .Select(e => new ManifestStep(Name(tdx, e.Index), EventLogs.TcgEventType.NameOf(e.Type), "log", Describe(e), new HashValue(e.DigestOf(bank).Span)))
            .ToImmutableArray();
        var registers = log.Entries.Select(e => e.Index).Distinct().Order()
            .Where(i => !tdx || i > 0)
            .Select(i => new ManifestRegister(Name(tdx, i), new HashValue(log.Replay(bank, i))));
        return new MeasurementManifest(tdx ? "tdx" : "tpm", "event log", [], [.. registers], steps, []);
    }

    private static MeasurementManifest OfEvidence(Evidence evidence)
    {
        // The verifier parses every TEE's evidence into claims; its verdict does not matter here.
        var verdict = EvidenceVerifier.Verify(evidence, ExpectedBinding.None, new VerificationOptions { Time = DateTimeOffset.UnixEpoch });
        if (verdict.Claims is not { } claims)
            throw new MalformedDataException("evidence", -1, $"no claims could be read: {verdict.DecisiveFailure?.Why ?? "nothing was found"}");
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
            claims.WriteTo(writer);
        using var document = JsonDocument.Parse(buffer.ToArray());
        var registers = ImmutableArray.CreateBuilder<ManifestRegister>();
        foreach (var (path, name) in ClaimNames)
        {
            if (Find(document.RootElement, path) is { } value)
                registers.Add(new ManifestRegister(name, HashValue.Parse(value)));
        }

        for (var i = 0; i < 24; i++)
        {
            if ((Find(document.RootElement, $"pcr{i:D2}") ?? Find(document.RootElement, $"pcrs.pcr{i}")) is { } value)
                registers.Add(new ManifestRegister($"pcr{i}", HashValue.Parse(value)));
        }

        var log = LogOf(evidence);
        return new MeasurementManifest(
            evidence.Tee, "evidence", [], registers.ToImmutable(), log is null ? [] : OfEventLog(log).Steps, []);
    }

    private const int MaximumNameLength = 256;
    private const int MaximumManifestSize = 4 << 20;

    // Claim in the verifier's JSON, and the register's name here.
    private static readonly ImmutableArray<(string Path, string Name)> ClaimNames =
    [
        ("quote.body.mr_td", "mrtd"), ("quote.body.rtmr_0", "rtmr0"), ("quote.body.rtmr_1", "rtmr1"), ("quote.body.rtmr_2", "rtmr2"),
        ("quote.body.rtmr_3", "rtmr3"), ("quote.body.mr_config_id", "mrconfigid"), ("measurement", "measurement"),
        ("body.mr_enclave", "mrenclave"), ("body.mr_signer", "mrsigner"),
    ];

    private static EventLog? LogOf(Evidence evidence)
    {
        if (!evidence.EventLog.IsEmpty)
            return EventLog.Parse(evidence.EventLog);
        if (evidence.Json is { ValueKind: JsonValueKind.Object } json && json.TryGetProperty("cc_eventlog", out var text)
            && text.ValueKind == JsonValueKind.String && text.TryGetBytesFromBase64(out var bytes) && bytes.Length > 0)
            return EventLog.Parse(bytes);
        return null;
    }

    private static MeasurementManifest? TryReadManifest(ReadOnlyMemory<byte> file)
    {
        if (file.Length is 0 or > MaximumManifestSize || file.Span[0] != '{')
            return null;
        try
        {
            using var document = JsonDocument.Parse(file);
            if (!ManifestJson.Recognises(document.RootElement))
                return null;
        }
        catch (JsonException)
        {
            return null;
        }

        return ManifestJson.Parse(file);
    }

    // The first event of a crypto-agile log has type EV_NO_ACTION and "Spec ID Event03" as its data.
    private static bool EventLogHeader(ReadOnlySpan<byte> file) => file.Length > 48 && file.Slice(32).StartsWith("Spec ID Event03"u8);

    private static string Name(bool tdx, int index) => tdx ? $"rtmr{index - 1}" : $"pcr{index}";

    private static string Describe(EventLogEntry entry)
    {
        var data = entry.Data.Span;
        if (entry.Type == EventLogs.TcgEventType.Separator)
            return "separator";
        if (entry.Type is EventLogs.TcgEventType.EfiVariableDriverConfig or EventLogs.TcgEventType.EfiVariableBoot or EventLogs.TcgEventType.EfiVariableAuthority
            && VariableName(data) is { } variable)
            return variable;
        var printable = data.Length is > 0 and <= 256 && !data.TrimEnd((byte)0).ContainsAnyExceptInRange((byte)0x20, (byte)0x7e);
        return printable ? System.Text.Encoding.ASCII.GetString(data.TrimEnd((byte)0)) : $"{data.Length} bytes of data";
    }

    // UEFI_VARIABLE_DATA, in the words of a prediction, so that the two can be laid side by side.
    private static string? VariableName(ReadOnlySpan<byte> data)
    {
        if (data.Length < 32)
            return null;
        var characters = BinaryPrimitives.ReadUInt64LittleEndian(data[16..]);
        var size = BinaryPrimitives.ReadUInt64LittleEndian(data[24..]);
        if (characters is 0 or > MaximumNameLength || 32 + 2 * (int)characters > data.Length)
            return null;
        var name = System.Text.Encoding.Unicode.GetString(data.Slice(32, 2 * (int)characters)).TrimEnd('\0');
        return name.AsSpan().ContainsAnyExceptInRange(' ', '~') ? null : $"variable {name}, {size} bytes";
    }

    private static string? Find(JsonElement element, string path)
    {
        foreach (var name in path.Split('.'))
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element))
                return null;
        }

        return element.ValueKind == JsonValueKind.String ? element.GetString() : null;
    }
}
