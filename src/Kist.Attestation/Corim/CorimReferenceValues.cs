using System.Collections.Immutable;

namespace Kist.Attestation.Corim;

/// <summary>One reference value as a reference-value store knows it.</summary>
/// <param name="Name">The name.</param>
/// <param name="Values">Acceptable values, hexadecimal in lower case.</param>
public sealed record NamedReferenceValue(string Name, ImmutableArray<string> Values);

/// <summary>
/// Reference values under the names that Trustee's store gives them: vendor, model, key, name and serial number, those that
/// are there, joined by "/", and "/digests" or "/raw_bytes" behind.
/// </summary>
public static class CorimReferenceValues
{
    /// <summary>Every reference value of a manifest that has a digest or a raw value without a mask.</summary>
    public static IEnumerable<NamedReferenceValue> Of(CorimDocument document) =>
        document.Comids.SelectMany(c => c.ReferenceValues).SelectMany(Of)
            .GroupBy(v => v.Name, StringComparer.Ordinal)
            .Select(g => new NamedReferenceValue(g.Key, [.. g.SelectMany(v => v.Values).Distinct(StringComparer.Ordinal)]));

    private static IEnumerable<NamedReferenceValue> Of(CorimTriple triple)
    {
        foreach (var measurement in triple.Measurements)
        {
            string?[] parts = [triple.Environment.Vendor, triple.Environment.Model, measurement.KeyText, measurement.Name, measurement.SerialNumber];
            var name = string.Join('/', parts.Where(p => !string.IsNullOrEmpty(p)));
            if (!measurement.Digests.IsEmpty)
                yield return new NamedReferenceValue($"{name}/digests", [.. measurement.Digests.Select(d => Convert.ToHexStringLower(d.Value.Span))]);
            if (measurement is { RawValue: { } raw, RawMask: null })
                yield return new NamedReferenceValue($"{name}/raw_bytes", [Convert.ToHexStringLower(raw.Span)]);
        }
    }
}
