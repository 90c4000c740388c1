using System.Collections.Immutable;

namespace Kist.Attestation;

/// <summary>The roots in force for one verification.</summary>
public sealed class TrustAnchorSet(ImmutableArray<TrustAnchor> anchors)
{
    /// <summary>No root at all: nothing is genuine.</summary>
    public static TrustAnchorSet Empty { get; } = new([]);

    /// <summary>All roots, in no particular order.</summary>
    public ImmutableArray<TrustAnchor> Anchors { get; } = anchors;

    /// <summary>Finds the anchor of <paramref name="vendor"/> with this key, or null.</summary>
    public TrustAnchor? Find(string vendor, ReadOnlySpan<byte> spkiSha256)
    {
        foreach (var anchor in Anchors)
        {
            if (anchor.Vendor == vendor && anchor.SpkiSha256.AsSpan().SequenceEqual(spkiSha256))
                return anchor;
        }

        return null;
    }

    /// <summary>This set and one more anchor.</summary>
    public TrustAnchorSet With(TrustAnchor anchor) => new(Anchors.Add(anchor));
}
