using System.Formats.Cbor;
using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.Enclaves.Attestation;

/// <summary>
/// Evidence in the form that RA-TLS certificates carry it (TCG DICE tagged evidence, as rats-tls writes it): a CBOR tag
/// that says what the evidence is, an array of the evidence and of the claims, and the claims' digest in the evidence's
/// report data.
/// <code>
/// 60000([ bstr quote, bstr claims ])
/// claims = { "pubkey-hash": bstr .cbor [ 1, bstr SHA-256 of the SubjectPublicKeyInfo ], ? "nonce": bstr }
/// report data = SHA-256(claims), then zeros
/// </code>
/// </summary>
public sealed class DiceEvidence
{
    /// <summary>Tag of an Intel TEE quote.</summary>
    public const ulong IntelQuoteTag = 60000;

    /// <summary>Most bytes of a whole piece of evidence.</summary>
    public const int MaxSize = 64 * 1024;

    /// <summary>Most bytes of a nonce.</summary>
    public const int MaxNonceSize = 64;

    private const string Name = "DICE evidence";
    private const string KeyHashClaim = "pubkey-hash";
    private const string NonceClaim = "nonce";
    private const ulong Sha256Algorithm = 1; // IANA "Named Information Hash Algorithm Registry"

    private readonly byte[] _claims;

    private DiceEvidence(byte[] quote, byte[] claims)
    {
        Quote = quote;
        _claims = claims;
        (var keyHash, Nonce) = ReadClaims(claims);
        KeyHash = keyHash;
    }

    /// <summary>The quote.</summary>
    public ReadOnlyMemory<byte> Quote { get; }

    /// <summary>SHA-256 of the public key's SubjectPublicKeyInfo, 32 bytes.</summary>
    public ReadOnlyMemory<byte> KeyHash { get; }

    /// <summary>The challenger's nonce; null in a certificate, which is made for nobody in particular.</summary>
    public ReadOnlyMemory<byte>? Nonce { get; }

    /// <summary>What the quote's report data must begin with: SHA-256 of the claims.</summary>
    public byte[] ClaimsDigest() => SHA256.HashData(_claims);

    /// <summary>Encodes claims; their digest goes into the report data.</summary>
    /// <param name="subjectPublicKeyInfo">The public key, DER.</param>
    /// <param name="nonce">The nonce, or null.</param>
    public static byte[] EncodeClaims(ReadOnlySpan<byte> subjectPublicKeyInfo, ReadOnlyMemory<byte>? nonce)
    {
        var hash = new CborWriter(CborConformanceMode.Canonical);
        hash.WriteStartArray(2);
        hash.WriteUInt64(Sha256Algorithm);
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

    /// <summary>The whole evidence, from a quote over the claims' digest.</summary>
    public static byte[] Encode(ReadOnlySpan<byte> quote, ReadOnlySpan<byte> claims)
    {
        var writer = new CborWriter();
        writer.WriteTag((CborTag)IntelQuoteTag);
        writer.WriteStartArray(2);
        writer.WriteByteString(quote);
        writer.WriteByteString(claims);
        writer.WriteEndArray();
        return writer.Encode();
    }

    /// <summary>Parses evidence.</summary>
    /// <exception cref="MalformedDataException">It is none, or of another TEE.</exception>
    public static DiceEvidence Parse(ReadOnlyMemory<byte> cbor)
    {
        if (cbor.Length > MaxSize)
            throw new MalformedDataException(Name, -1, $"{cbor.Length} bytes are more than the limit of {MaxSize}");
        try
        {
            var reader = new CborReader(cbor, CborConformanceMode.Strict);
            var tag = reader.ReadTag();
            if ((ulong)tag != IntelQuoteTag)
                throw new MalformedDataException(Name, 0, $"the tag {(ulong)tag} is not that of an Intel quote, {IntelQuoteTag}");
            if (reader.ReadStartArray() != 2)
                throw new MalformedDataException(Name, -1, "not an array of two");
            var quote = reader.ReadByteString();
            var claims = reader.ReadByteString();
            reader.ReadEndArray();
            if (reader.BytesRemaining != 0)
                throw new MalformedDataException(Name, -1, $"{reader.BytesRemaining} bytes follow its end");
            return new DiceEvidence(quote, claims);
        }
        catch (Exception e) when (e is CborContentException or InvalidOperationException)
        {
            throw new MalformedDataException(Name, -1, "not the CBOR of tagged evidence", e);
        }
    }

    /// <summary>Claims that are not known are bound by the digest like all others, and mean nothing here.</summary>
    private static (byte[] KeyHash, ReadOnlyMemory<byte>? Nonce) ReadClaims(byte[] claims)
    {
        var reader = new CborReader(claims, CborConformanceMode.Strict);
        byte[]? keyHash = null;
        byte[]? nonce = null;
        reader.ReadStartMap();
        while (reader.PeekState() != CborReaderState.EndMap)
        {
            switch (reader.ReadTextString())
            {
                case KeyHashClaim:
                    keyHash = ReadKeyHash(reader.ReadByteString());
                    break;
                case NonceClaim:
                    nonce = reader.ReadByteString();
                    break;
                default:
                    reader.SkipValue();
                    break;
            }
        }

        reader.ReadEndMap();
        if (reader.BytesRemaining != 0)
            throw new MalformedDataException(Name, -1, "bytes follow the claims");
        // An absent nonce must stay absent: a null array would convert to an empty one.
        return (
            keyHash ?? throw new MalformedDataException(Name, -1, "the claims have no pubkey-hash"),
            nonce is null ? default(ReadOnlyMemory<byte>?) : nonce);
    }

    private static byte[] ReadKeyHash(byte[] cbor)
    {
        var reader = new CborReader(cbor, CborConformanceMode.Strict);
        if (reader.ReadStartArray() != 2)
            throw new MalformedDataException(Name, -1, "pubkey-hash is not an array of two");
        var algorithm = reader.ReadUInt64();
        var hash = reader.ReadByteString();
        reader.ReadEndArray();
        return algorithm == Sha256Algorithm && hash.Length == SHA256.HashSizeInBytes && reader.BytesRemaining == 0
            ? hash
            : throw new MalformedDataException(Name, -1, $"pubkey-hash is not SHA-256 (algorithm {algorithm}, {hash.Length} bytes)");
    }
}
