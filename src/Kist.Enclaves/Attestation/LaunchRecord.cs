using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Attestation;
using Kist.Formats;

namespace Kist.Enclaves.Attestation;

/// <summary>What a challenge found at an address: the launch measurement, and what was concluded.</summary>
public sealed record LaunchRecord
{
    /// <summary>When.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Where.</summary>
    public required string Address { get; init; }

    /// <summary>The stored reference it was compared with; null if the values were given by hand.</summary>
    public string? Reference { get; init; }

    /// <summary>What was concluded.</summary>
    public required bool Accepted { get; init; }

    /// <summary>Why it was refused; null if accepted.</summary>
    public string? Reason { get; init; }

    /// <summary>True if the quote is a simulated platform's.</summary>
    public required bool Simulated { get; init; }

    /// <summary>True if the quote is genuine, so that the values below are the processor's. Otherwise they are whatever was sent.</summary>
    public required bool Genuine { get; init; }

    /// <summary>MRENCLAVE; null if the peer sent no quote that can be read. So are the others.</summary>
    public string? MrEnclave { get; init; }

    /// <summary>MRSIGNER.</summary>
    public string? MrSigner { get; init; }

    /// <summary>ISVPRODID, as the quote has it (two bytes, least significant first).</summary>
    public string? Product { get; init; }

    /// <summary>ISVSVN, as the quote has it.</summary>
    public string? Version { get; init; }

    /// <summary>True if the enclave can be debugged.</summary>
    public required bool Debug { get; init; }

    private const string PlatformChecks = "sgx.pck", RevocationCheck = "sgx.pck.revocation";

    /// <summary>Findings without any of which nobody knows whose values these are, besides those about the platform's certificate.</summary>
    private static readonly string[] s_genuineness = ["sgx.qe.signature", "sgx.qe.binding", "sgx.quote.signature", "sgx.binding.report_data"];

    /// <summary>The record of a challenge.</summary>
    public static LaunchRecord Of(EnclaveVerification verification, string address, string? reference, DateTimeOffset time)
    {
        ArgumentNullException.ThrowIfNull(verification);
        var verdict = verification.Verdict;
        using var claims = ClaimsOf(verdict);
        string? Find(string member) =>
            claims is not null && claims.RootElement.TryGetProperty("body", out var body) && body.TryGetProperty(member, out var value) ? value.GetString() : null;
        return new LaunchRecord
        {
            Time = time,
            Address = address,
            Reference = reference,
            Accepted = verification.IsAccepted,
            Reason = verification.Reason,
            Simulated = verdict.IsSimulated,
            Genuine = IsGenuine(verdict),
            MrEnclave = Find("mr_enclave"),
            MrSigner = Find("mr_signer"),
            Product = Find("isv_prod_id"),
            Version = Find("isv_svn"),
            Debug = verdict.IsDebug,
        };
    }

    private static bool IsGenuine(Verdict verdict)
    {
        var platform = verdict.Findings.Where(f => f.Id.StartsWith(PlatformChecks, StringComparison.Ordinal) && !f.Id.StartsWith(RevocationCheck, StringComparison.Ordinal)).ToArray();
        return platform.Length > 0 && platform.All(f => f.Outcome == FindingOutcome.Pass)
            && !verdict.Findings.Any(f => f.Id.StartsWith("ratls.", StringComparison.Ordinal) && f.Outcome == FindingOutcome.Fail)
            && s_genuineness.All(id => verdict.Findings.Any(f => f.Id == id && f.Outcome == FindingOutcome.Pass));
    }

    private static JsonDocument? ClaimsOf(Verdict verdict)
    {
        if (verdict.Claims is not { } claims)
            return null;
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
            claims.WriteTo(writer);
        return JsonDocument.Parse(stream.ToArray());
    }
}

/// <summary>The records, one JSON object a line, oldest first.</summary>
/// <param name="path">The file; it is made with the first record.</param>
public sealed class LaunchRecordLog(string path)
{
    private const int MaxLineLength = 64 * 1024;

    /// <summary>Appends a record in one write.</summary>
    public void Append(LaunchRecord record)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write([.. JsonSerializer.SerializeToUtf8Bytes(record, LaunchRecordJson.Default.LaunchRecord), (byte)'\n']);
    }

    /// <summary>The records.</summary>
    /// <exception cref="MalformedDataException">A line is none.</exception>
    public IEnumerable<LaunchRecord> Read()
    {
        if (!File.Exists(path))
            yield break;
        foreach (var line in File.ReadLines(path))
            yield return Parse(line);
    }

    /// <summary>The measurement that was found at an address before, by the last genuine quote; null if there was none.</summary>
    public string? LastMeasurement(string address) => Read().LastOrDefault(r => r.Genuine && r.Address == address)?.MrEnclave;

    private LaunchRecord Parse(string line)
    {
        try
        {
            return (line.Length <= MaxLineLength ? JsonSerializer.Deserialize(line, LaunchRecordJson.Default.LaunchRecord) : null)
                ?? throw new MalformedDataException(path, -1, "a line is no launch record");
        }
        catch (JsonException e)
        {
            throw new MalformedDataException(path, e.BytePositionInLine ?? -1, "a line is no launch record", e);
        }
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    MaxDepth = 4)]
[JsonSerializable(typeof(LaunchRecord))]
internal sealed partial class LaunchRecordJson : JsonSerializerContext;
