using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Kist.Formats;

namespace Kist.Images.Ocicrypt;

/// <summary>
/// The packet of ocicrypt's PKCS #11 wrapping: {"version": 0, "recipients": [{"version": 0, "blob": base64, "hash": NAME}]},
/// each blob the private options by RSA-OAEP. The hash is "sha1" (also where it is missing) or "sha256".
/// </summary>
sealed record Pkcs11Packet
{
    private const int MaxRecipients = 256;
    private const int MaxBytes = 256 * 1024;

    /// <summary>Always 0.</summary>
    [JsonRequired]
    public int Version { get; init; }

    /// <summary>One entry a recipient; nothing says which is whose.</summary>
    public required IReadOnlyList<Pkcs11Recipient> Recipients { get; init; }

    /// <summary>Wraps private options for RSA keys.</summary>
    /// <exception cref="OperationFailedException">A key is too short.</exception>
    public static Pkcs11Packet Wrap(ReadOnlySpan<byte> privateOptions, IReadOnlyList<RSA> keys)
    {
        var recipients = new List<Pkcs11Recipient>();
        foreach (var key in keys)
            recipients.Add(Wrap(privateOptions, key));
        return new Pkcs11Packet { Recipients = recipients };
    }

    /// <summary>Reads a packet.</summary>
    public static Pkcs11Packet Parse(ReadOnlySpan<byte> json)
    {
        if (json.Length > MaxBytes)
            throw Malformed($"{json.Length} bytes, more than the limit of {MaxBytes}");
        Pkcs11Packet packet;
        try
        {
            packet = JsonSerializer.Deserialize(json, OcicryptJson.Context.Pkcs11Packet) ?? throw Malformed("null");
        }
        catch (JsonException e)
        {
            throw new MalformedDataException("PKCS #11 packet", -1, "it is not the JSON that is expected", e);
        }

        if (packet.Version != 0 || packet.Recipients.Any(r => r.Version != 0))
            throw Malformed("its version is not 0");
        return packet.Recipients.Count <= MaxRecipients ? packet : throw Malformed($"more than {MaxRecipients} recipients");
    }

    /// <summary>The JSON.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, OcicryptJson.Context.Pkcs11Packet);

    // The options are about 200 bytes long: with a 2048-bit key there is room for them beside SHA-1, not beside SHA-256. OAEP's
    // security does not rest on its hash resisting collisions.
    private static Pkcs11Recipient Wrap(ReadOnlySpan<byte> privateOptions, RSA key)
    {
        var room = key.KeySize / 8 - 2;
        var sha256 = privateOptions.Length <= room - 2 * SHA256.HashSizeInBytes;
        if (!sha256 && privateOptions.Length > room - 2 * SHA1.HashSizeInBytes)
            throw new OperationFailedException("wrap layer key", $"RSA key of {key.KeySize} bits", "the key is too short for this wrapping", "use a key of 2048 bits or more");
        return new Pkcs11Recipient
        {
            Blob = key.Encrypt(privateOptions, sha256 ? RSAEncryptionPadding.OaepSHA256 : RSAEncryptionPadding.OaepSHA1),
            Hash = sha256 ? "sha256" : "sha1",
        };
    }

    private static MalformedDataException Malformed(string reason) => new("PKCS #11 packet", -1, reason);
}

/// <summary>One recipient's share.</summary>
sealed record Pkcs11Recipient
{
    /// <summary>Always 0.</summary>
    [JsonRequired]
    public int Version { get; init; }

    /// <summary>The private options by RSA-OAEP.</summary>
    public required byte[] Blob { get; init; }

    /// <summary>OAEP's hash.</summary>
    public string? Hash { get; init; }

    /// <summary><see cref="Hash"/> as .NET names it.</summary>
    [JsonIgnore]
    public HashAlgorithmName HashName => Hash switch
    {
        null or "" or "sha1" => HashAlgorithmName.SHA1,
        "sha256" => HashAlgorithmName.SHA256,
        _ => throw new MalformedDataException("PKCS #11 packet", -1, $"the hash '{Hash}' is not known"),
    };
}
