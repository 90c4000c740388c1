using System.Text;
using Kist.Formats;
using Kist.Images.Signatures;
using Kist.Oci;

namespace Kist.Host;

/// <summary>What an owner demands of images and tells guests of registries: cdh.toml's [image].</summary>
public sealed record ImageDemands
{
    private const string AtBroker = "kbs:///";

    /// <summary>The signature policy: kbs:///… at the broker, or the policy.json itself; null demands no signatures.</summary>
    public string? SignaturePolicy { get; init; }

    /// <summary>Where simple signatures are kept: kbs:///…, or the registries.d file itself.</summary>
    public string? SigstoreConfiguration { get; init; }

    /// <summary>Names and passwords for registries: kbs:///…. Never the file itself, for init-data is not secret.</summary>
    public string? Credentials { get; init; }

    /// <summary>Mirrors and blocked registries: kbs:///….</summary>
    public string? RegistryConfiguration { get; init; }

    /// <summary>The authorities that may vouch for registries' certificates, in PEM.</summary>
    public IReadOnlyList<string> AuthoritiesPem { get; init; } = [];

    /// <summary>Other hosts that registries may send the owner and the guest to: "cdn.example.com" or "*.example.com".</summary>
    public IReadOnlyList<string> RegistryHosts { get; init; } = [];

    /// <summary>
    /// Where the guest will look for an image's simple signatures; null if that is nowhere, or if the owner has not said it here but at
    /// the broker.
    /// </summary>
    internal Uri? LookasideFor(ImageReference image)
    {
        if (SigstoreConfiguration is not { } text || text.StartsWith(AtBroker, StringComparison.Ordinal))
            return null;
        var stores = new RegistriesConfiguration();
        stores.Add(text);
        return stores.LookasideFor(image) is { Scheme: "http" or "https" } store ? store : null;
    }

    internal string ToToml(Func<string, string> quote)
    {
        var lines = new StringBuilder();
        Write(lines, quote, "image_security_policy_uri", "image_security_policy", SignaturePolicy);
        Write(lines, quote, "sigstore_config_uri", "sigstore_config", SigstoreConfiguration);
        Write(lines, quote, "authenticated_registry_credentials_uri", null, Credentials);
        Write(lines, quote, "registry_configuration_uri", null, RegistryConfiguration);
        if (AuthoritiesPem.Count > 0)
            lines.Append(System.Globalization.CultureInfo.InvariantCulture, $"extra_root_certificates = [{string.Join(", ", AuthoritiesPem.Select(quote))}]\n");
        return lines.Length == 0 ? "" : "\n[image]\n" + lines;
    }

    private static void Write(StringBuilder lines, Func<string, string> quote, string uriName, string? textName, string? value)
    {
        if (value is null)
            return;
        var isUri = value.StartsWith(AtBroker, StringComparison.Ordinal);
        if (!isUri && textName is null)
            throw new OperationFailedException("write init-data", uriName, "it must be a resource of the broker", "store it with kist secret put, and give kbs:///repository/type/tag");
        lines.Append(System.Globalization.CultureInfo.InvariantCulture, $"{(isUri ? uriName : textName)} = {quote(value)}\n");
    }
}
