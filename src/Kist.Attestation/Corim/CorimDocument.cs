using System.Collections.Immutable;
using System.Formats.Cbor;
using Kist.Attestation.Cose;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.Corim;

/// <summary>
/// A concise reference integrity manifest (draft-ietf-rats-corim section 4): tag 501, bare, or as the payload of a COSE_Sign1
/// (tag 18), either inside the older tags 500 and 502.
/// </summary>
public sealed record CorimDocument
{
    /// <summary>The largest manifest that is read, in bytes.</summary>
    public const int SizeLimit = 4 * 1024 * 1024;

    private const string Structure = "CoRIM";
    private const ulong ChoiceTag = 500, UnsignedTag = 501, SignedTag = 502, ComidTag = 506, CoseSign1Tag = 18;

    /// <summary>id: text, or a UUID's bytes in hexadecimal.</summary>
    public required string Id { get; init; }

    /// <summary>profile: a URI, or an OID's bytes in hexadecimal; null if absent.</summary>
    public string? Profile { get; init; }

    /// <summary>rim-validity, not-before; null if absent.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>rim-validity, not-after; null if absent.</summary>
    public DateTimeOffset? NotAfter { get; init; }

    /// <summary>True if the manifest is valid at this time, or does not limit its validity.</summary>
    public bool IsValidAt(DateTimeOffset time) => (NotBefore is not { } from || time >= from) && (NotAfter is not { } to || time < to);

    /// <summary>The CoMIDs. Tags of other kinds (CoSWID, CoTL) are counted in <see cref="OtherTags"/>.</summary>
    public ImmutableArray<Comid> Comids { get; init; } = [];

    /// <summary>How many tags are not CoMIDs, and were not read.</summary>
    public int OtherTags { get; init; }

    /// <summary>True if a signature came with it; whether it is right, <see cref="IsSignedBy"/> says.</summary>
    public bool IsSigned => Message is not null;

    internal CoseSign1? Message { get; init; }

    /// <summary>True if the key, as SubjectPublicKeyInfo, made this manifest's signature. False for an unsigned one.</summary>
    /// <exception cref="MalformedDataException">The key is not a SubjectPublicKeyInfo.</exception>
    public bool IsSignedBy(ReadOnlySpan<byte> subjectPublicKeyInfo) =>
        Message is not null && PublicKey.Parse(subjectPublicKeyInfo) is { } key && Message.Verify(key);

    /// <summary>Reads a manifest; bytes after its end are refused.</summary>
    /// <exception cref="MalformedDataException">It does not follow its format.</exception>
    public static CorimDocument Parse(ReadOnlyMemory<byte> cbor)
    {
        if (cbor.Length > SizeLimit)
            throw new MalformedDataException(Structure, -1, $"it is {cbor.Length} bytes, more than the limit of {SizeLimit}");
        return CborInput.Read(cbor, Structure, ReadAny);
    }

    private static CorimDocument ReadAny(CborReader reader)
    {
        while (reader.PeekState() == CborReaderState.Tag)
        {
            switch ((ulong)reader.PeekTag())
            {
                case ChoiceTag or SignedTag:
                    reader.ReadTag();
                    break;
                case UnsignedTag:
                    reader.ReadTag();
                    return ReadMap(reader);
                case CoseSign1Tag:
                    var message = CoseSign1.Parse(reader.ReadEncodedValue().ToArray());
                    return CborInput.Read(message.Payload, Structure, ReadPayload) with { Message = message };
                case var other:
                    throw new MalformedDataException(Structure, 0, $"tag {other} is not of a CoRIM");
            }
        }

        throw new MalformedDataException(Structure, 0, "it has no tag of a CoRIM");
    }

    private static CorimDocument ReadPayload(CborReader reader)
    {
        if (reader.PeekState() == CborReaderState.Tag && (ulong)reader.ReadTag() != UnsignedTag)
            throw new MalformedDataException(Structure, 0, $"the signed payload is not tag {UnsignedTag}");
        return ReadMap(reader);
    }

    private static CorimDocument ReadMap(CborReader reader)
    {
        var result = new CorimDocument { Id = "" };
        CborInput.ReadMap(reader, r =>
        {
            result = CborInput.ReadKey(r) switch
            {
                "#0" => result with { Id = ReadText(r) },
                "#1" => ReadTags(r, result),
                "#3" => result with { Profile = ReadProfile(r) },
                "#4" => ReadValidity(r, result),
                _ => Skip(r, result),
            };
        });
        if (result.Id.Length == 0 || result.Comids.Length + result.OtherTags == 0)
            throw new MalformedDataException(Structure, -1, $"the {(result.Id.Length == 0 ? "id (0)" : "list of tags (1)")} is missing or empty");
        return result;
    }

    private static CorimDocument Skip(CborReader reader, CorimDocument result)
    {
        reader.SkipValue();
        return result;
    }

    private static string ReadText(CborReader reader) =>
        reader.PeekState() == CborReaderState.TextString ? reader.ReadTextString() : CorimIdentifier.Read(reader).ToString();

    private static string ReadProfile(CborReader reader)
    {
        // An array of profiles in older drafts; the first counts.
        if (reader.PeekState() != CborReaderState.StartArray)
            return ReadTagged(reader);
        string? first = null;
        CborInput.ReadArray(reader, r =>
        {
            var profile = ReadTagged(r);
            first ??= profile;
        });
        return first ?? throw new MalformedDataException(Structure, -1, "the list of profiles is empty");
    }

    private static string ReadTagged(CborReader reader)
    {
        if (reader.PeekState() == CborReaderState.Tag)
            reader.ReadTag();
        return ReadText(reader);
    }

    private static CorimDocument ReadTags(CborReader reader, CorimDocument result)
    {
        var comids = ImmutableArray.CreateBuilder<Comid>();
        var others = 0;
        CborInput.ReadArray(reader, r =>
        {
            if (r.PeekState() != CborReaderState.Tag || (ulong)r.PeekTag() != ComidTag)
            {
                r.SkipValue();
                others++;
                return;
            }

            r.ReadTag();
            comids.Add(Comid.Parse(r.ReadByteString()));
        });
        return result with { Comids = comids.ToImmutable(), OtherTags = others };
    }

    private static CorimDocument ReadValidity(CborReader reader, CorimDocument result)
    {
        CborInput.ReadMap(reader, r =>
        {
            result = CborInput.ReadKey(r) switch
            {
                "#0" => result with { NotBefore = ReadTime(r) },
                "#1" => result with { NotAfter = ReadTime(r) },
                _ => Skip(r, result),
            };
        });
        return result;
    }

    private static DateTimeOffset ReadTime(CborReader reader)
    {
        if (reader.PeekState() == CborReaderState.Tag)
            reader.ReadTag();
        var seconds = reader.ReadInt64();
        return seconds is >= 0 and < 253_402_300_800
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : throw new MalformedDataException(Structure, -1, "a time is out of range");
    }
}
