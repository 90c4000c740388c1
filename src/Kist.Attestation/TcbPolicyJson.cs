using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Attestation;

/// <summary>
/// A TCB policy as a file. All members are optional, and those that are absent keep their default; a member that is not known
/// is refused, since a misspelt rule would silently not apply:
/// <code>
/// { "accepted_statuses": ["UpToDate", …],      "grace_period_days": 30,
///   "accepted_advisories": ["INTEL-SA-…", …],  "rejected_advisories": […],
///   "minimum_evaluation_data_number": 17,       "minimum_guest_svn": 1,
///   "minimum_components": { "pcesvn": 13 },     "require_sept_ve_disable": true,
///   "allowed_chips": ["00a067110000", …] }
/// </code>
/// </summary>
public static class TcbPolicyJson
{
    private const string Structure = "TCB policy";
    private const int MaxSize = 256 * 1024;

    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false, MaxDepth = 4, CommentHandling = JsonCommentHandling.Skip };

    /// <summary>Reads a policy.</summary>
    /// <exception cref="MalformedDataException">It does not follow its format.</exception>
    public static TcbPolicy Parse(ReadOnlyMemory<byte> json)
    {
        if (json.Length > MaxSize)
            throw new MalformedDataException(Structure, -1, $"{json.Length} bytes, more than the limit of {MaxSize}");
        return StrictJson.Guard(Structure, () =>
        {
            using var document = JsonDocument.Parse(json, s_strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new MalformedDataException(Structure, -1, "it is not an object");
            var policy = TcbPolicy.Default;
            foreach (var member in document.RootElement.EnumerateObject())
                policy = Apply(policy, member);
            return policy;
        });
    }

    /// <summary>Writes every rule, defaults included, as one object.</summary>
    public static void Write(Utf8JsonWriter writer, TcbPolicy policy)
    {
        writer.WriteStartObject();
        WriteTexts(writer, "accepted_statuses", policy.AcceptedStatuses);
        writer.WriteNumber("grace_period_days", policy.GracePeriod.TotalDays);
        if (policy.AcceptedAdvisories is { } accepted)
            WriteTexts(writer, "accepted_advisories", accepted);
        WriteTexts(writer, "rejected_advisories", policy.RejectedAdvisories);
        writer.WriteNumber("minimum_evaluation_data_number", policy.MinimumEvaluationDataNumber);
        writer.WriteNumber("minimum_guest_svn", policy.MinimumGuestSvn);
        writer.WriteStartObject("minimum_components");
        foreach (var (name, minimum) in policy.MinimumComponents.OrderBy(p => p.Key, StringComparer.Ordinal))
            writer.WriteNumber(name, minimum);
        writer.WriteEndObject();
        writer.WriteBoolean("require_sept_ve_disable", policy.RequireSeptVeDisable);
        if (policy.AllowedChips is { } chips)
            WriteTexts(writer, "allowed_chips", chips);
        writer.WriteEndObject();
    }

    private static TcbPolicy Apply(TcbPolicy policy, JsonProperty member) => member.Name switch
    {
        "accepted_statuses" => policy with { AcceptedStatuses = Texts(member) },
        "grace_period_days" => policy with { GracePeriod = TimeSpan.FromDays(Number(member, 36500)) },
        "accepted_advisories" => policy with { AcceptedAdvisories = Texts(member) },
        "rejected_advisories" => policy with { RejectedAdvisories = Texts(member) },
        "minimum_evaluation_data_number" => policy with { MinimumEvaluationDataNumber = (int)Number(member, int.MaxValue) },
        "minimum_guest_svn" => policy with { MinimumGuestSvn = (int)Number(member, int.MaxValue) },
        "minimum_components" => policy with { MinimumComponents = Numbers(member) },
        "require_sept_ve_disable" => policy with { RequireSeptVeDisable = Flag(member) },
        "allowed_chips" => policy with { AllowedChips = Texts(member, lowerCase: true) },
        _ => throw new MalformedDataException(Structure, -1, $"member {member.Name} is not known"),
    };

    private static FrozenSet<string> Texts(JsonProperty member, bool lowerCase = false)
    {
        if (member.Value.ValueKind != JsonValueKind.Array || member.Value.EnumerateArray().Any(v => v.ValueKind != JsonValueKind.String))
            throw new MalformedDataException(Structure, -1, $"member {member.Name} is not an array of texts");
        return member.Value.EnumerateArray().Select(v => lowerCase ? v.GetString()!.ToLowerInvariant() : v.GetString()!)
            .ToFrozenSet(StringComparer.Ordinal);
    }

    private static ImmutableDictionary<string, int> Numbers(JsonProperty member)
    {
        if (member.Value.ValueKind != JsonValueKind.Object)
            throw new MalformedDataException(Structure, -1, $"member {member.Name} is not an object");
        return member.Value.EnumerateObject().ToImmutableDictionary(m => m.Name, m => (int)Number(m, int.MaxValue), StringComparer.Ordinal);
    }

    private static double Number(JsonProperty member, int maximum) =>
        member.Value.ValueKind == JsonValueKind.Number && member.Value.TryGetDouble(out var number) && number >= 0 && number <= maximum
            ? number
            : throw new MalformedDataException(Structure, -1, $"member {member.Name} is not a number from 0 to {maximum}");

    private static bool Flag(JsonProperty member) => member.Value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw new MalformedDataException(Structure, -1, $"member {member.Name} is neither true nor false"),
    };

    private static void WriteTexts(Utf8JsonWriter writer, string name, IEnumerable<string> texts)
    {
        writer.WriteStartArray(name);
        foreach (var text in texts.Order(StringComparer.Ordinal))
            writer.WriteStringValue(text);
        writer.WriteEndArray();
    }
}
