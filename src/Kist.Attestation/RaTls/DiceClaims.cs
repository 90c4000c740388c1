using System.Collections.Immutable;
using System.Formats.Cbor;
using System.Security.Cryptography;
using Kist.Attestation.Cose;
using Kist.Formats;

namespace Kist.Attestation.RaTls;

/// <summary>
/// The claims that a quote in an RA-TLS certificate binds ("Interoperable RA-TLS", evidence custom claims):
/// <code>
/// claims     = { "pubkey-hash": bstr .cbor hash-entry, ? "nonce": bstr, * tstr => any }
/// hash-entry = [ hash-alg-id, bstr ]    1 SHA-256, 7 SHA-384, 8 SHA-512 (IANA Named Information) of the SubjectPublicKeyInfo
/// report data of the quote = SHA-256(claims as they are encoded), then zeros
/// </code>
/// </summary>
public sealed class DiceClaims
{
    /// <summary>Most bytes of a nonce that is answered here; the form itself sets no limit.</summary>
    public const int MaxNonceSize = 64;

    private const string Name = "DICE claims";
    private const string KeyHashClaim = "pubkey-hash";
    private const string NonceClaim = "nonce";
    private const int MaxSize = 16 * 1024;
    private const int MaxClaims = 64;
    private const ulong Sha256Id = 1, Sha384Id = 7, Sha512Id = 8;

    private DiceClaims(ReadOnlyMemory<byte> bytes) => Bytes = bytes;

    /// <summary>The claims as they are encoded, which is what is hashed.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>The algorithm of <see cref="KeyHash"/>.</summary>
    public HashAlgorithmName KeyHashAlgorithm { get; private init; }

    /// <summary>Digest of the public key's SubjectPublicKeyInfo.</summary>
    public ReadOnlyMemory<byte> KeyHash { get; private init; }

    /// <summary>The challenger's nonce; null in a certificate that was made for nobody in particular.</summary>
    public ReadOnlyMemory<byte>? Nonce { get; private init; }

    /// <summary>Names of the other claims. The quote binds them like all; they mean something to the application alone.</summary>
    public ImmutableArray<string> OtherNames { get; private init; }

    /// <summary>What the quote's report data must begin with: SHA-256 of the claims.</summary>
    public byte[] Digest() => SHA256.HashData(Bytes.Span);

    /// <summary>True if the claims speak for this public key (SubjectPublicKeyInfo, DER).</summary>
    public bool IsFor(ReadOnlySpan<byte> subjectPublicKeyInfo) =>
        CryptographicOperations.FixedTimeEquals(KeyHash.Span, CryptographicOperations.HashData(KeyHashAlgorithm, subjectPublicKeyInfo));

    /// <summary>Encodes claims for a key, in the canonical order.</summary>
    /// <param name="subjectPublicKeyInfo">The public key, DER.</param>
    /// <param name="nonce">The nonce, or null.</param>
    public static byte[] Encode(ReadOnlySpan<byte> subjectPublicKeyInfo, ReadOnlyMemory<byte>? nonce)
    {
        var hash = new CborWriter(CborConformanceMode.Canonical);
        hash.WriteStartArray(2);
        hash.WriteUInt64(Sha256Id);
        hash.WriteByteString(SHA256.HashData(subjectPublicKeyInfo));
        hash.WriteEndArray();

        var writer = new CborWriter(CborConformanceMode.Canonical);
        writer.WriteStartMap(nonce is null ? 1 : 2);
        writer.WriteTextString(KeyHashClaim);
        writer.WriteByteString(hash.Encode());
        if (nonce is { } value)
        {
            writer.WriteTextString(NonceClaim);
            writer.WriteByteString(value.Span);
        }

        writer.WriteEndMap();
        return writer.Encode();
    }

    /// <summary>Reads claims.</summary>
    /// <exception cref="MalformedDataException">They do not follow the format, or name no key.</exception>
    public static DiceClaims Parse(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length > MaxSize)
            throw Malformed($"{bytes.Length} bytes are more than the limit of {MaxSize}");
        byte[]? keyHash = null, nonce = null;
        var others = ImmutableArray.CreateBuilder<string>();
        _ = CborInput.Read(bytes, Name, reader =>
        {
            CborInput.ReadMap(reader, r =>
            {
                switch (r.ReadTextString())
                {
                    case KeyHashClaim:
                        keyHash = r.ReadByteString();
                        break;
                    case NonceClaim:
                        nonce = r.ReadByteString();
                        break;
                    case var name when others.Count < MaxClaims:
                        others.Add(name);
                        r.SkipValue();
                        break;
                    default:
                        throw Malformed($"more than {MaxClaims} claims");
                }
            });
            return true;
        });
        var (algorithm, hash) = ReadHashEntry(keyHash ?? throw Malformed("they have no pubkey-hash"));
        return new DiceClaims(bytes)
        {
            KeyHashAlgorithm = algorithm,
            KeyHash = hash,
            // An absent nonce must stay absent: a null array would convert to an empty one.
            Nonce = nonce is null ? default(ReadOnlyMemory<byte>?) : nonce,
            OtherNames = others.ToImmutable(),
        };
    }

    private static (HashAlgorithmName Algorithm, byte[] Hash) ReadHashEntry(byte[] cbor) => CborInput.Read(cbor, Name, reader =>
    {
        if (reader.ReadStartArray() is { } count and not 2)
            throw Malformed($"pubkey-hash is an array of {count}, not of 2");
        var id = reader.ReadUInt64();
        var hash = reader.ReadByteString();
        reader.ReadEndArray();
        return (id, hash.Length) switch
        {
            (Sha256Id, SHA256.HashSizeInBytes) => (HashAlgorithmName.SHA256, hash),
            (Sha384Id, SHA384.HashSizeInBytes) => (HashAlgorithmName.SHA384, hash),
            (Sha512Id, SHA512.HashSizeInBytes) => (HashAlgorithmName.SHA512, hash),
            _ => throw Malformed($"pubkey-hash is none of SHA-256, SHA-384 and SHA-512 (algorithm {id}, {hash.Length} bytes)"),
        };
    });

    private static MalformedDataException Malformed(string reason) => new(Name, -1, reason);
}
