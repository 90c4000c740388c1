using Kist.Formats;

namespace Kist.Attestation.Snp;

/// <summary>What a certificate of evidence is, by the GUID (or name) it is filed under.</summary>
public enum SnpCertificateKind
{
    /// <summary>Filed under something else; ignored.</summary>
    Other,

    /// <summary>The AMD root key.</summary>
    Ark,

    /// <summary>The AMD signing key below it; of VLEKs too (ASVK).</summary>
    Ask,

    /// <summary>The chip's key.</summary>
    Vcek,

    /// <summary>The cloud provider's key.</summary>
    Vlek,
}

/// <summary>One certificate that came with a report.</summary>
/// <param name="Kind">What it claims to be.</param>
/// <param name="Data">DER, or PEM as some hosts file it.</param>
public sealed record SnpCertificate(SnpCertificateKind Kind, ReadOnlyMemory<byte> Data);

/// <summary>
/// The certificate table that a host hands to its guest with an extended report (AMD 56421 section 4.1.8.1).
/// <code>
/// offset  size  field
/// 0       16    GUID, most significant byte first
/// 16      4     offset of the data from the start of the table
/// 20      4     length of the data
/// …             more entries; the last is all zero
/// </code>
/// </summary>
public static class SnpCertificateTable
{
    /// <summary>The largest table that is read, in bytes.</summary>
    public const int SizeLimit = 256 * 1024;

    /// <summary>The most entries that are read.</summary>
    public const int EntryLimit = 64;

    private const string Structure = "SNP certificate table";

    private static readonly Dictionary<Guid, SnpCertificateKind> Kinds = new()
    {
        [new Guid("c0b406a4-a803-4952-9743-3fb6014cd0ae")] = SnpCertificateKind.Ark,
        [new Guid("4ab7b379-bbac-4fe4-a02f-05aef327c782")] = SnpCertificateKind.Ask,
        [new Guid("63da758d-e664-4564-adc5-f4b93be8accd")] = SnpCertificateKind.Vcek,
        [new Guid("a8074bc2-a25a-483e-aae6-39c045a0b8a1")] = SnpCertificateKind.Vlek,
    };

    /// <summary>Reads a table. Bytes that no entry names are ignored: the table lies in whole pages.</summary>
    /// <exception cref="MalformedDataException">An entry points outside the table, or there is no last entry.</exception>
    public static IReadOnlyList<SnpCertificate> Parse(ReadOnlySpan<byte> table)
    {
        if (table.Length > SizeLimit)
            throw new MalformedDataException(Structure, -1, $"it is {table.Length} bytes, more than the limit of {SizeLimit}");
        var result = new List<SnpCertificate>();
        var cursor = new SpanCursor(table, Structure);
        while (true)
        {
            // GUIDs on the wire are as RFC 4122 writes them: most significant byte first.
            var guid = new Guid(cursor.ReadBytes(16), bigEndian: true);
            var offset = cursor.ReadUInt32LittleEndian();
            var length = cursor.ReadUInt32LittleEndian();
            if (guid == Guid.Empty && offset == 0 && length == 0)
                return result;
            if (result.Count == EntryLimit)
                throw cursor.Malformed($"it has more than {EntryLimit} entries");
            if (offset > (uint)table.Length || length > (uint)table.Length - offset)
                throw cursor.Malformed($"entry {result.Count} ({guid}) lies outside the table");
            result.Add(new SnpCertificate(
                Kinds.GetValueOrDefault(guid, SnpCertificateKind.Other), table.Slice((int)offset, (int)length).ToArray()));
        }
    }
}
