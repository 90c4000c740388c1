using Kist.Attestation.X509;

namespace Kist.Attestation.Snp;

/// <summary>
/// AMD's intermediate and root certificates for each product, as published by its key server. They are a convenience for
/// evidence that brings only its leaf: what makes a chain good is the pinned root key, wherever the rest came from.
/// </summary>
internal static class SnpEndorsements
{
    private static readonly Dictionary<string, Lazy<IReadOnlyList<Certificate>>> Chains = new(StringComparer.Ordinal)
    {
        ["Milan/vcek"] = Load("Milan-vcek"),
        ["Milan/vlek"] = Load("Milan-vlek"),
        ["Genoa/vcek"] = Load("Genoa-vcek"),
        ["Genoa/vlek"] = Load("Genoa-vlek"),
        ["Turin/vcek"] = Load("Turin-vcek"),
        ["Turin/vlek"] = Load("Turin-vlek"),
    };

    /// <summary>How collateral and chains are named: product and kind of leaf, such as "Milan/vcek".</summary>
    public static string Name(SnpProduct product, SnpSigningKey key) =>
        $"{product}/{(key == SnpSigningKey.Vlek ? "vlek" : "vcek")}";

    /// <summary>The intermediate and the root by <see cref="Name"/>; empty for an unknown product.</summary>
    public static IReadOnlyList<Certificate> Chain(string name) =>
        Chains.TryGetValue(name, out var chain) ? chain.Value : [];

    private static Lazy<IReadOnlyList<Certificate>> Load(string file) => new(() =>
    {
        using var stream = typeof(SnpEndorsements).Assembly.GetManifestResourceStream($"snp/{file}.pem")
            ?? throw new InvalidOperationException($"the resource snp/{file}.pem is missing from this build");
        using var buffer = new MemoryStream();
        stream.CopyTo(buffer);
        return PemReader.ReadCertificates(buffer.ToArray());
    });
}
