namespace Kist.Attestation.X509;

/// <summary>Certificates in order of issue: end entity first, each issued by the next.</summary>
/// <param name="Certificates">At least one.</param>
/// <param name="WasSorted">True if the input was in another order.</param>
internal sealed record CertificatePath(IReadOnlyList<Certificate> Certificates, bool WasSorted)
{
    /// <summary>The longest path that is followed; real chains have two to five certificates.</summary>
    private const int MaxLength = 8;

    public Certificate Leaf => Certificates[0];

    /// <summary>The last certificate: the root, or the one whose issuer is missing.</summary>
    public Certificate Last => Certificates[^1];

    /// <summary>
    /// Orders certificates into a path. It starts at the first that is no authority (or simply the first) and follows the
    /// issuers' names; among several of one name the one whose key fits is taken. Nothing is decided here: every link is
    /// checked afterwards.
    /// </summary>
    public static CertificatePath Build(IReadOnlyList<Certificate> certificates)
    {
        var current = certificates.FirstOrDefault(c => !c.IsCa) ?? certificates[0];
        var path = new List<Certificate> { current };
        while (!current.IsSelfIssued && path.Count < MaxLength)
        {
            var candidates = certificates.Where(c => !path.Contains(c) && c.Subject.Span.SequenceEqual(current.Issuer.Span)).ToList();
            if (candidates.Count == 0)
                break;
            current = candidates.Count == 1 ? candidates[0] : candidates.FirstOrDefault(current.IsSignedBy) ?? candidates[0];
            path.Add(current);
        }

        var inOrder = path.Count <= certificates.Count && path.Index().All(p => ReferenceEquals(p.Item, certificates[p.Index]));
        return new CertificatePath(path, !inOrder);
    }
}
