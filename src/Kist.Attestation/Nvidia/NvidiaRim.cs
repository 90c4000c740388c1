using System.Collections.Immutable;
using System.Globalization;
using System.Xml;
using Kist.Formats;

namespace Kist.Attestation.Nvidia;

/// <summary>
/// A reference integrity manifest of NVIDIA: a SWID tag (ISO/IEC 19770-2) whose Resource elements of type Measurement give
/// an index, whether it is active, and its acceptable SHA-384 digests (Hash0, Hash1, …). See <see cref="RimSignature"/> for who
/// signed it.
/// </summary>
/// <param name="Version">colloquialVersion: of which firmware or driver it is; empty if it does not say.</param>
/// <param name="Measurements">Acceptable digests of each active measurement, by index from 0 as in the manifest.</param>
internal sealed record NvidiaRim(string Version, ImmutableSortedDictionary<int, ImmutableArray<byte[]>> Measurements)
{
    /// <summary>The largest manifest that is read, in bytes.</summary>
    public const int SizeLimit = 4 * 1024 * 1024;

    private const string Structure = "NVIDIA RIM";
    private const int IndexLimit = 1024;
    private const int DigestSize = 48;

    /// <summary>True if this looks like a SWID tag. Never throws.</summary>
    public static bool Recognises(ReadOnlySpan<byte> file) => file[..Math.Min(file.Length, 2048)].IndexOf("<SoftwareIdentity"u8) >= 0;

    public static NvidiaRim Parse(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length > SizeLimit)
            throw new MalformedDataException(Structure, -1, $"it is {bytes.Length} bytes, more than the limit of {SizeLimit}");
        var result = ImmutableSortedDictionary.CreateBuilder<int, ImmutableArray<byte[]>>();
        var version = "";
        try
        {
            using var reader = XmlReader.Create(new MemoryStream(bytes.ToArray()), new XmlReaderSettings
            {
                DtdProcessing = DtdProcessing.Prohibit,
                XmlResolver = null,
                MaxCharactersInDocument = SizeLimit,
            });
            while (reader.Read())
            {
                if (reader is { NodeType: XmlNodeType.Element, LocalName: "Meta" })
                    version = reader.GetAttribute("colloquialVersion") ?? "";
                if (reader is { NodeType: XmlNodeType.Element, LocalName: "Resource" } && reader.GetAttribute("type") == "Measurement")
                    ReadResource(reader, result);
            }
        }
        catch (Exception e) when (e is XmlException or FormatException and not MalformedDataException)
        {
            throw new MalformedDataException(Structure, -1, "it is not a SWID tag", e);
        }

        return result.Count > 0 ? new NvidiaRim(version, result.ToImmutable()) : throw new MalformedDataException(Structure, -1, "it has no active measurement");
    }

    /// <summary>Indexes of active measurements that the report lacks or that have none of the acceptable digests.</summary>
    public IEnumerable<int> Mismatches(ImmutableSortedDictionary<int, ReadOnlyMemory<byte>> reported)
    {
        foreach (var (index, accepted) in Measurements)
        {
            // SPDM counts from 1, the manifest from 0.
            if (!reported.TryGetValue(index + 1, out var actual) || !accepted.Any(a => actual.Span.SequenceEqual(a)))
                yield return index + 1;
        }
    }

    private static void ReadResource(XmlReader reader, ImmutableSortedDictionary<int, ImmutableArray<byte[]>>.Builder result)
    {
        if (!string.Equals(reader.GetAttribute("active"), "true", StringComparison.OrdinalIgnoreCase))
            return;
        if (!int.TryParse(reader.GetAttribute("index"), NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index > IndexLimit)
            throw new MalformedDataException(Structure, -1, "a measurement has no index");
        var digests = ImmutableArray.CreateBuilder<byte[]>();
        for (var i = 0; i < reader.AttributeCount; i++)
        {
            reader.MoveToAttribute(i);
            if (reader.LocalName.StartsWith("Hash", StringComparison.Ordinal) && reader.LocalName.Length > 4)
                digests.Add(Convert.FromHexString(reader.Value));
        }

        reader.MoveToElement();
        if (digests.Count == 0 || digests.Any(d => d.Length != DigestSize))
            throw new MalformedDataException(Structure, -1, $"measurement {index} has no SHA-384 digest");
        if (!result.TryAdd(index, digests.ToImmutable()))
            throw new MalformedDataException(Structure, -1, $"measurement {index} occurs twice");
    }
}
