namespace Kist.Attestation.Corim;

/// <summary>Lists what a manifest says, for a person to read.</summary>
internal static class CorimFields
{
    public static IEnumerable<EvidenceField> List(CorimDocument document)
    {
        yield return Text("id", document.Id);
        yield return Text("profile", document.Profile ?? "none", document.Profile is null ? "nothing says how its values relate to evidence" : null);
        yield return Text("signed", document.IsSigned ? "yes" : "no", document.IsSigned ? "by a key that is not checked here" : "anybody may have written it");
        if (document.NotBefore is { } from)
            yield return Text("validity.not_before", Timestamp.Format(from));
        if (document.NotAfter is { } to)
            yield return Text("validity.not_after", Timestamp.Format(to));
        if (document.OtherTags > 0)
            yield return Text("other_tags", $"{document.OtherTags}", "not CoMIDs, and not read");
        for (var i = 0; i < document.Comids.Length; i++)
        {
            foreach (var field in Comid(document.Comids[i], $"comid_{i}"))
                yield return field;
        }
    }

    private static IEnumerable<EvidenceField> Comid(Comid comid, string prefix)
    {
        yield return Text($"{prefix}.id", comid.TagId);
        if (comid.OtherTriples > 0)
            yield return Text($"{prefix}.other_triples", $"{comid.OtherTriples}", "kinds of triples that are not read, such as conditional endorsements");
        foreach (var field in Triples(comid.ReferenceValues, $"{prefix}.reference"))
            yield return field;
        foreach (var field in Triples(comid.EndorsedValues, $"{prefix}.endorsed"))
            yield return field;
        foreach (var (name, triples) in new[] { ("identity_key", comid.IdentityKeys), ("attest_key", comid.AttestKeys) })
        {
            for (var i = 0; i < triples.Length; i++)
            {
                yield return Text($"{prefix}.{name}_{i}.environment", Describe(triples[i].Environment));
                for (var k = 0; k < triples[i].Keys.Length; k++)
                    yield return Text($"{prefix}.{name}_{i}.key_{k}", System.Text.Encoding.UTF8.GetString(triples[i].Keys[k].Value.Span).ReplaceLineEndings(" "), $"tag {triples[i].Keys[k].Tag}");
            }
        }
    }

    private static IEnumerable<EvidenceField> Triples(IReadOnlyList<CorimTriple> triples, string prefix)
    {
        for (var i = 0; i < triples.Count; i++)
        {
            yield return Text($"{prefix}_{i}.environment", Describe(triples[i].Environment));
            foreach (var measurement in triples[i].Measurements)
            {
                var path = $"{prefix}_{i}.{(measurement.Key is null ? "value" : measurement.KeyText)}";
                foreach (var digest in measurement.Digests)
                    yield return Text(path, Convert.ToHexStringLower(digest.Value.Span), $"digest, algorithm {digest.Algorithm}");
                if (measurement.RawValue is { } raw)
                    yield return Text(path, Convert.ToHexStringLower(raw.Span), measurement.RawMask is { } mask ? $"under the mask {Convert.ToHexStringLower(mask.Span)}" : "bytes");
                if (measurement.Version is { } version)
                    yield return Text(path, version, "version");
                if ((measurement.Svn ?? measurement.MinimumSvn) is { } svn)
                    yield return Text(path, $"{svn}", measurement.Svn is null ? "least security version" : "security version");
                foreach (var key in measurement.Keys)
                    yield return Text(path, key.ToString(), "signer or key");
            }
        }
    }

    private static string Describe(CorimEnvironment environment)
    {
        string?[] parts =
        [
            environment.Vendor, environment.Model, environment.Layer is { } layer ? $"layer {layer}" : null, environment.Index is { } index ? $"index {index}" : null,
            environment.ClassId is { } id ? $"class {id}" : null, environment.Instance is { } instance ? $"instance {instance}" : null, environment.Group is { } group ? $"group {group}" : null,
        ];
        return string.Join(", ", parts.Where(p => p is not null));
    }

    private static EvidenceField Text(string path, string value, string? meaning = null) => new(path, -1, -1, value, meaning);
}
