using System.Collections.Immutable;

namespace Kist.Measurement.Sev;

/// <summary>CPUID Fn0000_0001_EAX of QEMU's processor models, which is RDX at reset and so part of the measurement.</summary>
public static class CpuSignature
{
    private static readonly ImmutableSortedDictionary<string, uint> Models = new Dictionary<string, uint>
    {
        ["EPYC"] = Of(23, 1, 2),
        ["EPYC-IBPB"] = Of(23, 1, 2),
        ["EPYC-Rome"] = Of(23, 49, 0),
        ["EPYC-Milan"] = Of(25, 1, 1),
        ["EPYC-Genoa"] = Of(25, 17, 0),
        ["EPYC-Turin"] = Of(26, 0, 0),
    }.ToImmutableSortedDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>The names that are known, without versions.</summary>
    public static IEnumerable<string> Names => Models.Keys;

    /// <summary>The signature of a processor (AMD CPUID Specification, publication 25481).</summary>
    public static uint Of(int family, int model, int stepping)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)family, 0xfu + 0xff);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)model, 0xffu);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)stepping, 0xfu);
        var baseFamily = Math.Min(family, 0xf);
        return (uint)((family - baseFamily) << 20 | (model >> 4) << 16 | baseFamily << 8 | (model & 0xf) << 4 | stepping);
    }

    /// <summary>
    /// The signature of a QEMU model; versions such as "EPYC-Milan-v2" and letter case do not matter. Null if it is not
    /// known.
    /// </summary>
    public static uint? Find(string name)
    {
        var dash = name.LastIndexOf("-v", StringComparison.OrdinalIgnoreCase);
        var hasVersion = dash > 0 && name.Length > dash + 2 && !name.AsSpan(dash + 2).ContainsAnyExceptInRange('0', '9');
        return Models.TryGetValue(hasVersion ? name[..dash] : name, out var signature) ? signature : null;
    }
}
