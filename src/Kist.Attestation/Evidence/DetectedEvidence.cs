using System.Collections.Immutable;

namespace Kist.Attestation;

/// <summary>Evidence found in a file, and how.</summary>
/// <param name="Evidence">The evidence.</param>
/// <param name="Layers">The encodings from the outside in, such as "base64", "JSON"; the last is the evidence's own form.</param>
public sealed record DetectedEvidence(Evidence Evidence, ImmutableArray<string> Layers)
{
    /// <summary>
    /// SubjectPublicKeyInfo of the certificate that carried the evidence; empty if none did. The evidence speaks for that key
    /// only if its report data binds it, which the caller must ask for.
    /// </summary>
    public ReadOnlyMemory<byte> CertificateKey { get; init; }

    /// <summary>That certificate, DER; empty if the evidence came in none.</summary>
    public ReadOnlyMemory<byte> Certificate { get; init; }
}
