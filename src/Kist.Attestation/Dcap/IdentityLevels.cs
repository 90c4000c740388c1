using System.Text.Json;
using Kist.Formats;

namespace Kist.Attestation.Dcap;

/// <summary>The "tcbLevels" of an enclave or TDX module identity.</summary>
internal static class IdentityLevels
{
    private const int MaxLevels = 256;

    public static List<IdentityLevel> Read(JsonElement identity, string structure)
    {
        var list = new List<IdentityLevel>();
        foreach (var level in SignedJson.RequireArray(identity, "tcbLevels", MaxLevels, structure))
        {
            list.Add(new IdentityLevel(
                SignedJson.RequireNumber(EvidenceJson.Require(level, "tcb", structure), "isvsvn", 65535, structure),
                SignedJson.RequireTime(level, "tcbDate", structure),
                TcbStatuses.Parse(EvidenceJson.RequireString(level, "tcbStatus", structure)),
                SignedJson.OptionalStrings(level, "advisoryIDs", structure)));
        }

        return list.Count > 0 ? list : throw new MalformedDataException(structure, -1, "there is no TCB level");
    }

    /// <summary>The first level, newest first, that this version reaches; null if it reaches none.</summary>
    public static IdentityLevel? Match(IReadOnlyList<IdentityLevel> levels, int isvSvn)
    {
        foreach (var level in levels)
        {
            if (isvSvn >= level.IsvSvn)
                return level;
        }

        return null;
    }
}
