using System.Text.Json;
using Kist.KeyBroker.Protocol;

namespace Kist.KeyBroker.References;

/// <summary>One claim of a reference set beside what the evidence says.</summary>
readonly record struct ClaimComparison(string Claim, IReadOnlyList<string> Accepted, string? Actual)
{
    /// <summary>True if the evidence makes the claim with one of the accepted values.</summary>
    public bool Holds => Actual is not null && Accepted.Contains(Actual, StringComparer.OrdinalIgnoreCase);
}

/// <summary>Finds claims by their path in the claims' JSON, dots between members.</summary>
static class ClaimPath
{
    /// <summary>Compares every claim of a set.</summary>
    public static IEnumerable<ClaimComparison> Compare(ReferenceSet set, JsonElement claims) =>
        set.Claims.Select(c => new ClaimComparison(c.Key, c.Value, Find(claims, c.Key)));

    /// <summary>
    /// A claim's value as its JSON writes it, or null if there is none. A member's own name may hold dots
    /// ("attributes.flags"), so at each object the longest match wins.
    /// </summary>
    public static string? Find(JsonElement element, string path)
    {
        if (element.ValueKind != JsonValueKind.Object)
            return null;
        for (var end = path.Length; end > 0; end = path.LastIndexOf('.', end - 1))
        {
            if (element.TryGetProperty(path.AsSpan(0, end), out var member))
                return end == path.Length ? Text(member) : Find(member, path[(end + 1)..]);
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
