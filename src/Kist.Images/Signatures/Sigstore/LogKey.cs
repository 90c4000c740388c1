using System.Security.Cryptography;
using System.Text;
using Kist.Formats;

namespace Kist.Images.Signatures;

/// <summary>The public key of a transparency or certificate log.</summary>
public sealed class LogKey
{
    private const int KeyHintBytes = 4;
    private const byte NoteEd25519 = 1;

    private readonly byte[] _publicKey;

    /// <summary>Takes a key.</summary>
    /// <param name="publicKey">SubjectPublicKeyInfo in DER.</param>
    /// <param name="from">The first moment at which it counts; null for always.</param>
    /// <param name="until">The last; null for ever.</param>
    /// <exception cref="MalformedDataException">It is no elliptic, RSA or Ed25519 key.</exception>
    public LogKey(byte[] publicKey, DateTimeOffset? from = null, DateTimeOffset? until = null)
    {
        _publicKey = publicKey;
        (From, Until) = (from, until);
        Id = SHA256.HashData(publicKey);
        using var key = PublicKeyReader.Read(publicKey);
    }

    /// <summary>SHA-256 of the key, by which entries and timestamps name their log.</summary>
    public byte[] Id { get; }

    /// <summary>The first moment at which the key counts; null for always.</summary>
    public DateTimeOffset? From { get; }

    /// <summary>The last; null for ever.</summary>
    public DateTimeOffset? Until { get; }

    /// <summary>Reads a key in PEM.</summary>
    public static LogKey FromPem(ReadOnlySpan<byte> pem)
    {
        using var key = CosignSignatures.ReadPublicKey(pem);
        return new LogKey(key.ExportSubjectPublicKeyInfo());
    }

    /// <summary>True if the key counts at a time.</summary>
    public bool IsValidAt(DateTimeOffset time) => (From is null || From <= time) && (Until is null || time <= Until);

    /// <summary>
    /// The identifier of the log of that name with this key: of Ed25519, that of signed notes (C2SP signed-note, "Signatures"),
    /// SHA-256 over name, line feed, 1 and key; else <see cref="Id"/>, whatever the name.
    /// </summary>
    public byte[] IdOf(string name) => Ed25519PublicKey.TryRead(_publicKey) is { } key
        ? SHA256.HashData([.. Encoding.UTF8.GetBytes(name), (byte)'\n', NoteEd25519, .. key.Raw])
        : Id;

    /// <summary>Verifies a signature of a log that calls itself by a name: the identifier's beginning, then the signature.</summary>
    public bool VerifyNote(string name, ReadOnlySpan<byte> text, ReadOnlySpan<byte> signature) =>
        signature.Length > KeyHintBytes && signature[..KeyHintBytes].SequenceEqual(IdOf(name).AsSpan(0, KeyHintBytes)) && Verify(text, signature[KeyHintBytes..]);

    /// <summary>Verifies a signature; by SHA-256, but for Ed25519.</summary>
    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        using var key = PublicKeyReader.Read(_publicKey);
        return key switch
        {
            ECDsa ec => ec.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence),
            RSA rsa => rsa.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            Ed25519PublicKey ed25519 => ed25519.Verify(data, signature),
            _ => false,
        };
    }
}
