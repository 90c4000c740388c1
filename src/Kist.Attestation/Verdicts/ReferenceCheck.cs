using System.Collections.Immutable;
using System.Text.Json;

namespace Kist.Attestation;

/// <summary>Compares named claims with the values that the caller accepts.</summary>
internal static class ReferenceCheck
{
    public static void Run(ImmutableArray<ReferenceValue> references, VerdictBuilder verdict)
    {
        if (references.IsEmpty)
            return;
        using var claims = verdict.Claims is null ? null : Parse(verdict.Claims);
        foreach (var reference in references)
        {
            var id = $"reference.{reference.Claim}";
            var actual = claims is null ? null : Find(claims.RootElement, reference.Claim);
            if (actual is null)
            {
                verdict.Fail(
                    id, "the evidence makes no such claim", Join(reference), null,
                    "check the claim's name against the claims that kist inspect prints");
                continue;
            }

            verdict.Check(
                id,
                reference.Accepted.Contains(actual, StringComparer.OrdinalIgnoreCase),
                "the claim has one of its reference values",
                Join(reference),
                actual,
                "launch what was measured for the reference value, or register the new value after reviewing it",
                failure: "the claim has none of its reference values");
        }
    }

    private static string Join(ReferenceValue reference) =>
        reference.Accepted.IsEmpty ? "(no accepted value)" : string.Join(" or ", reference.Accepted);

    private static JsonDocument Parse(TeeClaims claims)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
            claims.WriteTo(writer);
        return JsonDocument.Parse(buffer.WrittenMemory);
    }

    /// <summary>
    /// Walks the path; a member's name may itself hold dots ("attributes.flags"), so at each object the longest match wins.
    /// </summary>
    private static string? Find(JsonElement element, string path)
    {
        if (element.ValueKind == JsonValueKind.Object)
        {
            for (var end = path.Length; end > 0; end = path.LastIndexOf('.', end - 1))
            {
                if (element.TryGetProperty(path.AsSpan(0, end), out var member))
                    return end == path.Length ? Text(member) : Find(member, path[(end + 1)..]);
            }
        }

        return null;
    }

    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        _ => null,
    };
}
