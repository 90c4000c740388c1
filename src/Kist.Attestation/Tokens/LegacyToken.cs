using System.Collections.Immutable;
using Kist.Formats;

namespace Kist.Attestation.Tokens;

/// <summary>
/// Tokens of Confidential Containers' attestation service before it issued EARs (until October 2025): iss, iat, exp, tee,
/// tcb-status and evaluation-reports.
/// </summary>
internal static class LegacyToken
{
    private const string Structure = "CoCo attestation token";

    /// <summary>The claims that it shares with an EAR; null if the claims set is something else.</summary>
    public static EarResult? TryParse(ReadOnlySpan<byte> utf8Json)
    {
        using var document = StrictJson.ParseObject(utf8Json, EvidenceLimits.SignedJson, Structure, maxDepth: 128);
        var root = document.RootElement;
        if (root.TryGetProperty("eat_profile", out _) || !root.TryGetProperty("evaluation-reports", out _) || !root.TryGetProperty("tcb-status", out _))
            return null;
        return new EarResult
        {
            Profile = Structure,
            IssuedAt = Time(EvidenceJson.RequireUInt64(root, "iat", Structure)),
            Expires = Time(EvidenceJson.RequireUInt64(root, "exp", Structure)),
            Issuer = EvidenceJson.RequireString(root, "iss", Structure),
            Developer = EvidenceJson.RequireString(root, "iss", Structure),
            Build = "",
            Submods = ImmutableSortedDictionary<string, EarAppraisal>.Empty,
        };
    }

    private static DateTimeOffset Time(ulong seconds) => seconds < 253_402_300_800
        ? DateTimeOffset.FromUnixTimeSeconds((long)seconds)
        : throw new MalformedDataException(Structure, -1, "a time is out of range");
}
