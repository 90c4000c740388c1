using System.Collections.Immutable;
using System.Formats.Cbor;
using Kist.Attestation.Cose;
using Kist.Formats;

namespace Kist.Attestation.Corim;

/// <summary>Values that an environment's measurements may have.</summary>
public sealed record CorimTriple(CorimEnvironment Environment, ImmutableArray<CorimMeasurement> Measurements);

/// <summary>Keys of an environment: 554 PEM public key, 555 PEM certificate, 556 PEM chain, 560 bytes …</summary>
public sealed record CorimKeyTriple(CorimEnvironment Environment, ImmutableArray<CorimIdentifier> Keys);

/// <summary>concise-mid-tag, tag 506: statements about one module (draft-ietf-rats-corim section 5.1).</summary>
public sealed record Comid
{
    private const string Structure = "CoMID";

    /// <summary>tag-id: text, or a UUID's bytes in hexadecimal.</summary>
    public required string TagId { get; init; }

    /// <summary>reference-triples: what evidence should say.</summary>
    public ImmutableArray<CorimTriple> ReferenceValues { get; init; } = [];

    /// <summary>endorsed-triples: what the vendor says in addition.</summary>
    public ImmutableArray<CorimTriple> EndorsedValues { get; init; } = [];

    /// <summary>identity-triples: keys that identify devices.</summary>
    public ImmutableArray<CorimKeyTriple> IdentityKeys { get; init; } = [];

    /// <summary>attest-key-triples: keys that sign evidence.</summary>
    public ImmutableArray<CorimKeyTriple> AttestKeys { get; init; } = [];

    /// <summary>
    /// How many kinds of triples were not read: dependencies, memberships, conditional endorsements and others. None of them says
    /// what evidence should be, so that leaving them out accepts nothing more.
    /// </summary>
    public int OtherTriples { get; init; }

    /// <summary>Reads a bare CoMID; bytes after its end are refused.</summary>
    /// <exception cref="MalformedDataException">It does not follow its format.</exception>
    public static Comid Parse(ReadOnlyMemory<byte> cbor) => CborInput.Read(cbor, Structure, Read);

    internal static Comid Read(CborReader reader)
    {
        Comid? triples = null;
        string? id = null;
        CborInput.ReadMap(reader, r =>
        {
            switch (CborInput.ReadKey(r))
            {
                case "#1": id = ReadIdentity(r); break;
                case "#4": triples = ReadTriples(r); break;
                default: r.SkipValue(); break;
            }
        });
        if (id is null || triples is null)
            throw new MalformedDataException(Structure, -1, $"the {(id is null ? "tag identity (1)" : "triples (4)")} is missing");
        return triples with { TagId = id };
    }

    private static string ReadIdentity(CborReader reader)
    {
        string? id = null;
        CborInput.ReadMap(reader, r =>
        {
            if (CborInput.ReadKey(r) != "#0")
                r.SkipValue();
            else
                id = r.PeekState() == CborReaderState.TextString ? r.ReadTextString() : CorimIdentifier.Read(r).ToString();
        });
        return id ?? throw new MalformedDataException(Structure, -1, "the tag identity has no id (0)");
    }

    private static Comid ReadTriples(CborReader reader)
    {
        var result = new Comid { TagId = "" };
        var any = false;
        CborInput.ReadMap(reader, r =>
        {
            any = true;
            result = CborInput.ReadKey(r) switch
            {
                "#0" => result with { ReferenceValues = ReadArray(r, ReadTriple) },
                "#1" => result with { EndorsedValues = ReadArray(r, ReadTriple) },
                "#2" => result with { IdentityKeys = ReadArray(r, ReadKeyTriple) },
                "#3" => result with { AttestKeys = ReadArray(r, ReadKeyTriple) },
                _ => Skip(r, result),
            };
        });
        return any ? result : throw new MalformedDataException(Structure, -1, "there are no triples");
    }

    private static Comid Skip(CborReader reader, Comid result)
    {
        reader.SkipValue();
        return result with { OtherTriples = result.OtherTriples + 1 };
    }

    private static CorimTriple ReadTriple(CborReader reader)
    {
        reader.ReadStartArray();
        var environment = CorimEnvironment.Read(reader);
        var measurements = ReadArray(reader, CorimMeasurement.Read);
        reader.ReadEndArray();
        return new CorimTriple(environment, measurements);
    }

    private static CorimKeyTriple ReadKeyTriple(CborReader reader)
    {
        reader.ReadStartArray();
        var environment = CorimEnvironment.Read(reader);
        var keys = CorimMeasurement.ReadKeys(reader);
        // Conditions, which later drafts add, narrow the statement; a reader that dropped them would say too much.
        if (reader.PeekState() != CborReaderState.EndArray)
            throw new MalformedDataException(Structure, -1, "a key triple has conditions, which are not supported");
        reader.ReadEndArray();
        return new CorimKeyTriple(environment, keys);
    }

    private static ImmutableArray<T> ReadArray<T>(CborReader reader, Func<CborReader, T> element)
    {
        var result = ImmutableArray.CreateBuilder<T>();
        CborInput.ReadArray(reader, r => result.Add(element(r)));
        return result.ToImmutable();
    }
}
