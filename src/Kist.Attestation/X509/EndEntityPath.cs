namespace Kist.Attestation.X509;

/// <summary>
/// Orders certificates into a path from a known end entity. It always begins with that one, whatever the others say of
/// themselves: else whoever chooses the others could have one certificate's chain checked and another's key used.
/// </summary>
internal static class EndEntityPath
{
    private const int MaxLength = 8;

    /// <summary>
    /// Follows issuers' names from <paramref name="leaf"/>; among several of one name the one whose key fits is taken.
    /// Nothing is decided here: every link is checked afterwards.
    /// </summary>
    public static CertificatePath From(Certificate leaf, IReadOnlyList<Certificate> others)
    {
        var path = new List<Certificate> { leaf };
        while (!path[^1].IsSelfIssued && path.Count < MaxLength)
        {
            var last = path[^1];
            var candidates = others.Where(c => !path.Contains(c) && c.Subject.Span.SequenceEqual(last.Issuer.Span)).ToList();
            if (candidates.Count == 0)
                break;
            path.Add(candidates.Count == 1 ? candidates[0] : candidates.Find(last.IsSignedBy) ?? candidates[0]);
        }

        return new CertificatePath(path, WasSorted: false);
    }
}
