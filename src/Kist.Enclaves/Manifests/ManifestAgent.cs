using System.Collections.Immutable;

namespace Kist.Enclaves.Manifests;

/// <summary>
/// What a pod's image agent may do: whoever lets the broker release image keys to this enclave decides with its measurement
/// which applications get the images.
/// </summary>
public sealed record ManifestAgent
{
    /// <summary>MRENCLAVE of every application enclave that may have an image, in lower-case hexadecimal digits, sorted. None without more.</summary>
    public required ImmutableArray<string> Applications { get; init; }

    /// <summary>
    /// The broker's resource with the registries' credentials (an auth.json), which is asked for only after attestation:
    /// kbs:///repository/type/tag. Null to pull without any.
    /// </summary>
    public string? RegistryCredentials { get; init; }

    /// <summary>The only authorities that may vouch for registries' certificates, in PEM. Null: registries speak plain http.</summary>
    public string? RegistryAuthorities { get; init; }
}

/// <summary>A key broker.</summary>
public sealed record ManifestBroker
{
    /// <summary>Its address: https. A name is only looked up; the certificate decides who answers.</summary>
    public required string Url { get; init; }

    /// <summary>Its certificate, or those of who may have issued it, in PEM.</summary>
    public required string Certificate { get; init; }

    /// <summary>
    /// "ra-tls" where the address is that of the broker's RA-TLS endpoint, so that this enclave proves itself by its TLS certificate.
    /// Null: the KBS protocol.
    /// </summary>
    public string? Protocol { get; init; }
}

/// <summary>A secret of the broker as a file of the enclave.</summary>
public sealed record ManifestSecret
{
    /// <summary>Its name at the broker: kbs:///repository/type/tag.</summary>
    public required string Resource { get; init; }

    /// <summary>Absolute path of the file. The program's user may read it, and nobody else.</summary>
    public required string Path { get; init; }
}
