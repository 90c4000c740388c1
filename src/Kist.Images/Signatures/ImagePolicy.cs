using System.Text.Json;
using Kist.Formats;
using Kist.Oci;

namespace Kist.Images.Signatures;

/// <summary>
/// A policy.json (containers-policy.json(5)): which images are accepted, by transport and scope. Unknown members are
/// refused, for one of them could be the restriction that matters.
/// </summary>
public sealed class ImagePolicy
{
    private const int MaxBytes = 1024 * 1024;

    private readonly IReadOnlyList<PolicyRequirement> _default;
    private readonly Dictionary<string, Dictionary<string, IReadOnlyList<PolicyRequirement>>> _transports;

    private ImagePolicy(
        IReadOnlyList<PolicyRequirement> defaults, Dictionary<string, Dictionary<string, IReadOnlyList<PolicyRequirement>>> transports)
    {
        _default = defaults;
        _transports = transports;
    }

    /// <summary>A policy that accepts an image if one of these keys (PEM) signed it, whatever its name; and no other image.</summary>
    public static ImagePolicy ForKeys(IReadOnlyList<byte[]> publicKeys) =>
        new([new SigstoreSignedRequirement([.. publicKeys.Select(k => new PolicyKey(null, k))], SignedIdentity.AnyName)], []);

    /// <summary>A policy that accepts an image if a signer signed it whom a certificate of a trusted authority names.</summary>
    /// <param name="root">Whom to trust.</param>
    /// <param name="subject">An e-mail address, URI or other name.</param>
    /// <param name="oidcIssuer">The OpenID provider that vouched for the subject.</param>
    public static ImagePolicy ForSigner(SigstoreTrustRoot root, string subject, string oidcIssuer) => new(
        [
            new SigstoreSignedRequirement([], SignedIdentity.AnyName)
            {
                Root = root,
                Certificates = new CertificateRequirement { IsFulcio = true, OidcIssuer = oidcIssuer, Subject = subject },
            },
        ],
        []);

    /// <summary>Reads a policy.</summary>
    /// <exception cref="MalformedDataException">It is no policy, or has something in it that is not known.</exception>
    public static ImagePolicy Parse(ReadOnlySpan<byte> json)
    {
        using var document = StrictJson.ParseObject(json, MaxBytes, PolicyJson.Structure, maxDepth: 16);
        PolicyJson.Only(document.RootElement, "default", "transports");
        if (!document.RootElement.TryGetProperty("default", out var defaults))
            throw PolicyJson.Malformed("there is no default");
        var transports = new Dictionary<string, Dictionary<string, IReadOnlyList<PolicyRequirement>>>(StringComparer.Ordinal);
        if (document.RootElement.TryGetProperty("transports", out var listed))
        {
            foreach (var transport in PolicyJson.Members(listed))
            {
                transports[transport.Name] = PolicyJson.Members(transport.Value)
                    .ToDictionary(s => s.Name, s => PolicyRequirementReader.ReadList(s.Value), StringComparer.Ordinal);
            }
        }

        return new ImagePolicy(PolicyRequirementReader.ReadList(defaults), transports);
    }

    /// <summary>
    /// The requirements for an image of a registry, all of which must be met: of the most specific scope. From the image's
    /// full name over its repository, namespaces and host to wildcards "*.domain", the transport's "", and the default.
    /// </summary>
    public IReadOnlyList<PolicyRequirement> RequirementsFor(ImageReference reference)
    {
        if (!_transports.TryGetValue("docker", out var scopes))
            return _default;
        foreach (var scope in Scopes(reference))
        {
            if (scopes.TryGetValue(scope, out var requirements))
                return requirements;
        }

        return _default;
    }

    private static IEnumerable<string> Scopes(ImageReference reference)
    {
        // A digest takes the tag's place, as in containers/image.
        yield return reference.Digest is { } digest ? $"{reference.Name}@{digest}" : $"{reference.Name}:{reference.Tag}";
        for (var path = reference.Name; path.Length > 0; path = path[..Math.Max(0, path.LastIndexOf('/'))])
            yield return path;
        var host = reference.Registry.Split(':')[0];
        for (var dot = host.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = host.IndexOf('.', dot + 1))
            yield return "*" + host[dot..];
        yield return "";
    }
}
