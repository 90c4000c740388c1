using System.Collections.Immutable;
using System.Formats.Cbor;
using Kist.Attestation.Cose;
using Kist.Formats;

namespace Kist.Attestation.Corim;

/// <summary>A digest and its algorithm in the numbers of the Named Information registry: 1 SHA-256, 7 SHA-384, 8 SHA-512.</summary>
public sealed record CorimDigest(int Algorithm, ReadOnlyMemory<byte> Value);

/// <summary>measurement-map: one measured thing and the values it may have (draft-ietf-rats-corim section 5.1.4.5).</summary>
public sealed record CorimMeasurement
{
    private const string Structure = "CoMID measurement";

    /// <summary>mkey; null if absent. An integer or text has tag 0.</summary>
    public CorimIdentifier? Key { get; init; }

    /// <summary>True if <see cref="Key"/> is a number without sign, such as a PCR's index.</summary>
    public bool IsKeyNumber { get; init; }

    /// <summary>True if <see cref="Key"/> is text.</summary>
    public bool IsKeyText { get; init; }

    /// <summary>version; null if absent.</summary>
    public string? Version { get; init; }

    /// <summary>svn, an exact security version; null if absent.</summary>
    public ulong? Svn { get; init; }

    /// <summary>svn, a least security version; null if absent.</summary>
    public ulong? MinimumSvn { get; init; }

    /// <summary>digests.</summary>
    public ImmutableArray<CorimDigest> Digests { get; init; } = [];

    /// <summary>raw-value; null if absent.</summary>
    public ReadOnlyMemory<byte>? RawValue { get; init; }

    /// <summary>raw-value-mask; null if absent: every bit counts.</summary>
    public ReadOnlyMemory<byte>? RawMask { get; init; }

    /// <summary>serial-number; null if absent.</summary>
    public string? SerialNumber { get; init; }

    /// <summary>name; null if absent.</summary>
    public string? Name { get; init; }

    /// <summary>cryptokeys: keys or signer ids.</summary>
    public ImmutableArray<CorimIdentifier> Keys { get; init; } = [];

    /// <summary>Text of a textual or numeric key, or hexadecimal; empty if there is none.</summary>
    public string KeyText => Key is null ? "" : Key.Tag == 0 ? System.Text.Encoding.UTF8.GetString(Key.Value.Span) : Key.ToString();

    internal static CorimMeasurement Read(CborReader reader)
    {
        var result = new CorimMeasurement();
        CborInput.ReadMap(reader, r =>
        {
            switch (CborInput.ReadKey(r))
            {
                case "#0":
                    var state = r.PeekState();
                    result = result with
                    {
                        IsKeyNumber = state == CborReaderState.UnsignedInteger,
                        IsKeyText = state == CborReaderState.TextString,
                        Key = CorimIdentifier.Read(r),
                    };
                    break;
                case "#1": result = ReadValues(r, result); break;
                default: r.SkipValue(); break;
            }
        });
        return result;
    }

    private static CorimMeasurement ReadValues(CborReader reader, CorimMeasurement result)
    {
        CborInput.ReadMap(reader, r =>
        {
            result = CborInput.ReadKey(r) switch
            {
                "#0" => result with { Version = ReadVersion(r) },
                "#1" => ReadSvn(r, result),
                "#2" => result with { Digests = ReadDigests(r) },
                "#4" => ReadRaw(r, result),
                "#5" => result with { RawMask = r.ReadByteString() },
                "#8" => result with { SerialNumber = r.ReadTextString() },
                "#11" => result with { Name = r.ReadTextString() },
                "#13" => result with { Keys = ReadKeys(r) },
                _ => Skip(r, result),
            };
        });
        return result;
    }

    private static CorimMeasurement Skip(CborReader reader, CorimMeasurement result)
    {
        reader.SkipValue();
        return result;
    }

    private static string ReadVersion(CborReader reader)
    {
        var version = "";
        CborInput.ReadMap(reader, r =>
        {
            if (CborInput.ReadKey(r) == "#0")
                version = r.ReadTextString();
            else
                r.SkipValue();
        });
        return version;
    }

    private static CorimMeasurement ReadSvn(CborReader reader, CorimMeasurement result)
    {
        const ulong exact = 552, minimum = 553;
        var tag = reader.PeekState() == CborReaderState.Tag ? (ulong)reader.ReadTag() : exact;
        return tag switch
        {
            exact => result with { Svn = reader.ReadUInt64() },
            minimum => result with { MinimumSvn = reader.ReadUInt64() },
            _ => throw new MalformedDataException(Structure, -1, $"tag {tag} of an svn is neither {exact} nor {minimum}"),
        };
    }

    private static CorimMeasurement ReadRaw(CborReader reader, CorimMeasurement result)
    {
        const ulong bytes = 560, masked = 563;
        var tag = reader.PeekState() == CborReaderState.Tag ? (ulong)reader.ReadTag() : bytes;
        if (tag == bytes)
            return result with { RawValue = reader.ReadByteString() };
        if (tag != masked)
            throw new MalformedDataException(Structure, -1, $"tag {tag} of a raw value is neither {bytes} nor {masked}");
        reader.ReadStartArray();
        var (value, mask) = (reader.ReadByteString(), reader.ReadByteString());
        reader.ReadEndArray();
        return result with { RawValue = value, RawMask = mask };
    }

    private static ImmutableArray<CorimDigest> ReadDigests(CborReader reader)
    {
        var result = ImmutableArray.CreateBuilder<CorimDigest>();
        CborInput.ReadArray(reader, r =>
        {
            r.ReadStartArray();
            var algorithm = r.ReadInt32();
            var value = r.ReadByteString();
            r.ReadEndArray();
            var size = algorithm switch { 1 => 32, 7 => 48, 8 => 64, 10 => 32, 11 => 48, 12 => 64, _ => -1 };
            if (value.Length == 0 || (size >= 0 && value.Length != size))
                throw new MalformedDataException(Structure, -1, $"a digest of algorithm {algorithm} is {value.Length} bytes");
            result.Add(new CorimDigest(algorithm, value));
        });
        return result.ToImmutable();
    }

    internal static ImmutableArray<CorimIdentifier> ReadKeys(CborReader reader)
    {
        var result = ImmutableArray.CreateBuilder<CorimIdentifier>();
        CborInput.ReadArray(reader, r => result.Add(CorimIdentifier.Read(r)));
        return result.ToImmutable();
    }
}
