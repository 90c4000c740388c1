using System.Collections.Immutable;
using Kist.Attestation.References;
using Kist.Formats;

namespace Kist.Attestation.Corim;

/// <summary>Values of one environment that evidence must show together, by the paths of the claims that it makes.</summary>
/// <param name="Name">The manifest's id; with "/2", "/3" … behind it for further environments.</param>
/// <param name="Tee">The TEE for which it is meant.</param>
/// <param name="Claims">At least one claim with its acceptable values.</param>
/// <param name="NotBefore">From when it is valid; null if the manifest does not say.</param>
/// <param name="NotAfter">Until when it is valid; null if the manifest does not say.</param>
public sealed record CorimReferenceSet(
    string Name, string Tee, ImmutableArray<ReferenceValue> Claims, DateTimeOffset? NotBefore, DateTimeOffset? NotAfter)
{
    /// <summary>
    /// The profile of manifests that kist measure writes: class { vendor "Kist", model: the TEE's name on the wire },
    /// measurement keys are the names of <see cref="LaunchRegisters"/>, values are digests.
    /// </summary>
    public const string LaunchProfile = "urn:x-kist:corim:launch:1";

    /// <summary>The vendor of <see cref="LaunchProfile"/>.</summary>
    public const string LaunchVendor = "Kist";

    private const string Structure = "CoRIM reference set";
    private const string ParsecProfile = "tag:github.com/parallaxsecond,2023-03-03:tpm";
    private const string AmdProfile = "tag:amd.com,2024:snp-corim-profile";

    /// <summary>
    /// The sets of a manifest whose profile says how its keys relate to claims: kist's own, AMD's for SNP and Parsec's for
    /// TPMs. Empty for all others, whose values have names only (<see cref="CorimReferenceValues"/>).
    /// </summary>
    /// <exception cref="MalformedDataException">
    /// A measurement could not be turned into a claim: a set without it would accept what its author does not.
    /// </exception>
    public static ImmutableArray<CorimReferenceSet> Of(CorimDocument document)
    {
        Func<CorimTriple, (string, ImmutableArray<ReferenceValue>)>? read = document.Profile switch
        {
            LaunchProfile => Launch,
            AmdProfile => triple => ("snp", Values(triple, Snp)),
            ParsecProfile => triple => ("tpm", Values(triple, m => m.IsKeyNumber ? LaunchRegisters.ClaimOf("tpm", $"pcr{m.KeyText}") : null)),
            _ => null,
        };
        if (read is null)
            return [];
        CorimProfiles.Check(document);
        var sets = ImmutableArray.CreateBuilder<CorimReferenceSet>();
        foreach (var triple in document.Comids.SelectMany(c => c.ReferenceValues))
        {
            var (tee, claims) = read(triple);
            if (claims.IsEmpty)
                throw new MalformedDataException(Structure, -1, "an environment has no measurements");
            sets.Add(new CorimReferenceSet(
                sets.Count == 0 ? document.Id : $"{document.Id}/{sets.Count + 1}", tee, claims, document.NotBefore, document.NotAfter));
        }

        return sets.ToImmutable();
    }

    private static (string, ImmutableArray<ReferenceValue>) Launch(CorimTriple triple)
    {
        if (triple.Environment is not { Vendor: LaunchVendor, Model: { } tee })
            throw new MalformedDataException(Structure, -1, $"the class is not one of vendor {LaunchVendor} with a TEE as its model");
        return (tee, Values(triple, m => m.IsKeyText ? LaunchRegisters.ClaimOf(tee, m.KeyText) : null));
    }

    // AMD's measurement keys are numbered by the report's fields: 641 is MEASUREMENT, 642 HOST_DATA, 643 ID_KEY_DIGEST,
    // 644 AUTHOR_KEY_DIGEST. The others say what one report of one machine said, and are no reference values of a launch.
    private static string? Snp(CorimMeasurement measurement) => measurement.KeyText switch
    {
        "641" => LaunchRegisters.ClaimOf("snp", "measurement"),
        "642" => LaunchRegisters.ClaimOf("snp", "host_data"),
        "643" => LaunchRegisters.ClaimOf("snp", "id_key_digest"),
        "644" => LaunchRegisters.ClaimOf("snp", "author_key_digest"),
        _ => "",
    };

    // An empty path: the measurement is left out on purpose. Null: it is not known what it means.
    private static ImmutableArray<ReferenceValue> Values(CorimTriple triple, Func<CorimMeasurement, string?> claimOf) =>
    [
        .. triple.Measurements
            .Select(m => (Measurement: m, Claim: claimOf(m) ?? throw new MalformedDataException(Structure, -1, $"it is not known which claim shows {Printable(m.KeyText)}")))
            .Where(v => v.Claim.Length > 0)
            .GroupBy(v => v.Claim, v => HexOf(v.Measurement), StringComparer.Ordinal)
            .Select(g => new ReferenceValue(g.Key, [.. g.SelectMany(values => values).Distinct(StringComparer.Ordinal)])),
    ];

    private static ImmutableArray<string> HexOf(CorimMeasurement measurement) => measurement switch
    {
        { Digests.IsEmpty: false } => [.. measurement.Digests.Select(d => Convert.ToHexStringLower(d.Value.Span))],
        { RawValue: { } raw, RawMask: null } => [Convert.ToHexStringLower(raw.Span)],
        _ => throw new MalformedDataException(Structure, -1, $"{Printable(measurement.KeyText)} has neither digests nor a whole raw value"),
    };

    private static string Printable(string key) => key.Length is > 0 and <= 64 && key.All(c => c is > ' ' and <= '~') ? key : "a measurement";
}
