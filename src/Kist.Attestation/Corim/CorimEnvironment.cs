using System.Formats.Cbor;
using Kist.Attestation.Cose;

namespace Kist.Attestation.Corim;

/// <summary>A tagged identifier of CoMID: 37 UUID, 111 OID, 550 UEID, 560 bytes, and others; see the draft's type choices.</summary>
/// <param name="Tag">The CBOR tag; 0 if there is none.</param>
/// <param name="Value">The bytes; of a text or a number, its characters in UTF-8.</param>
public sealed record CorimIdentifier(int Tag, ReadOnlyMemory<byte> Value)
{
    /// <summary>A UUID, 16 bytes.</summary>
    public const int Uuid = 37;

    /// <summary>An object identifier.</summary>
    public const int Oid = 111;

    /// <summary>A universal entity id.</summary>
    public const int Ueid = 550;

    /// <summary>Bytes of any meaning.</summary>
    public const int Bytes = 560;

    internal static CorimIdentifier Read(CborReader reader)
    {
        var tag = reader.PeekState() == CborReaderState.Tag ? (int)Math.Min((ulong)reader.ReadTag(), int.MaxValue) : 0;
        return new CorimIdentifier(tag, reader.PeekState() switch
        {
            CborReaderState.ByteString => reader.ReadByteString(),
            CborReaderState.TextString => System.Text.Encoding.UTF8.GetBytes(reader.ReadTextString()),
            CborReaderState.UnsignedInteger or CborReaderState.NegativeInteger => System.Text.Encoding.UTF8.GetBytes($"{reader.ReadInt64()}"),
            _ => reader.ReadEncodedValue().ToArray(),
        });
    }

    /// <summary>Hexadecimal.</summary>
    public override string ToString() => Convert.ToHexStringLower(Value.Span);
}

/// <summary>environment-map: what kind of thing, or which thing, measurements and keys are about (draft-ietf-rats-corim section 5.1.4.2).</summary>
public sealed record CorimEnvironment
{
    /// <summary>class-id; null if absent.</summary>
    public CorimIdentifier? ClassId { get; init; }

    /// <summary>True if the environment has a class at all.</summary>
    public bool HasClass { get; init; }

    /// <summary>vendor of the class; null if absent.</summary>
    public string? Vendor { get; init; }

    /// <summary>model of the class; null if absent.</summary>
    public string? Model { get; init; }

    /// <summary>layer of the class; null if absent.</summary>
    public long? Layer { get; init; }

    /// <summary>index of the class; null if absent.</summary>
    public long? Index { get; init; }

    /// <summary>instance; null if absent.</summary>
    public CorimIdentifier? Instance { get; init; }

    /// <summary>group; null if absent.</summary>
    public CorimIdentifier? Group { get; init; }

    internal static CorimEnvironment Read(CborReader reader)
    {
        var result = new CorimEnvironment();
        CborInput.ReadMap(reader, r =>
        {
            switch (CborInput.ReadKey(r))
            {
                case "#0": result = ReadClass(r, result with { HasClass = true }); break;
                case "#1": result = result with { Instance = CorimIdentifier.Read(r) }; break;
                case "#2": result = result with { Group = CorimIdentifier.Read(r) }; break;
                default: r.SkipValue(); break;
            }
        });
        return result;
    }

    private static CorimEnvironment ReadClass(CborReader reader, CorimEnvironment result)
    {
        CborInput.ReadMap(reader, r =>
        {
            switch (CborInput.ReadKey(r))
            {
                case "#0": result = result with { ClassId = CorimIdentifier.Read(r) }; break;
                case "#1": result = result with { Vendor = r.ReadTextString() }; break;
                case "#2": result = result with { Model = r.ReadTextString() }; break;
                case "#3": result = result with { Layer = r.ReadInt64() }; break;
                case "#4": result = result with { Index = r.ReadInt64() }; break;
                default: r.SkipValue(); break;
            }
        });
        return result;
    }
}
