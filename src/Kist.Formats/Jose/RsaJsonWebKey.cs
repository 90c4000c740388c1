using System.Security.Cryptography;
using System.Text.Json;

namespace Kist.Formats.Jose;

/// <summary>An RSA public key (RFC 7518 section 6.3) of 2048 to 8192 bits.</summary>
public sealed class RsaJsonWebKey : JsonWebKey
{
    private const int MinModulusBytes = 2048 / 8;
    private const int MaxModulusBytes = 8192 / 8;
    private const int MaxExponentBytes = 8;

    private readonly byte[] _modulus;
    private readonly byte[] _exponent;

    /// <summary>Parses the members, big-endian numbers without leading zeros.</summary>
    /// <exception cref="MalformedDataException">A number of an unfit size, or an exponent that is even or 1.</exception>
    public RsaJsonWebKey(string n, string e, string? algorithm)
        : this(
            Base64Url.Decode(n, MaxModulusBytes, "JSON Web Key member n"),
            Base64Url.Decode(e, MaxExponentBytes, "JSON Web Key member e"),
            algorithm)
    {
    }

    private RsaJsonWebKey(byte[] modulus, byte[] exponent, string? algorithm)
        : base(algorithm)
    {
        if (modulus.Length is < MinModulusBytes or > MaxModulusBytes || (modulus[0] & 0x80) == 0 || (modulus[^1] & 1) == 0)
            throw Malformed("n must be an odd number of 2048 to 8192 bits, a multiple of eight, without leading zeros");
        if (exponent.Length is 0 or > MaxExponentBytes || exponent[0] == 0 || (exponent[^1] & 1) == 0 || exponent is [1])
            throw Malformed("e must be an odd number above 1 without leading zeros");
        _modulus = modulus;
        _exponent = exponent;
    }

    /// <inheritdoc/>
    public override string KeyType => "RSA";

    /// <summary>The modulus, big-endian.</summary>
    public ReadOnlyMemory<byte> Modulus => _modulus;

    /// <summary>The public exponent, big-endian.</summary>
    public ReadOnlyMemory<byte> Exponent => _exponent;

    /// <summary>The public part of a key.</summary>
    public static RsaJsonWebKey FromPublicKey(RSA key, string? algorithm)
    {
        var parameters = key.ExportParameters(false);
        return new RsaJsonWebKey(parameters.Modulus!, parameters.Exponent!, algorithm);
    }

    /// <summary>Makes a verifier and encryptor. The caller disposes it.</summary>
    /// <exception cref="MalformedDataException">The platform's library refuses the numbers.</exception>
    public RSA CreateRsa()
    {
        try
        {
            return RSA.Create(new RSAParameters { Modulus = _modulus, Exponent = _exponent });
        }
        catch (CryptographicException e)
        {
            throw Malformed("n and e are no RSA key", e);
        }
    }

    /// <inheritdoc/>
    public override void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        if (Algorithm is not null)
            writer.WriteString("alg"u8, Algorithm);
        writer.WriteString("e"u8, Base64Url.Encode(_exponent));
        writer.WriteString("kty"u8, "RSA"u8);
        writer.WriteString("n"u8, Base64Url.Encode(_modulus));
        writer.WriteEndObject();
    }

    private protected override string RequiredMembers() =>
        $$"""{"e":"{{Base64Url.Encode(_exponent)}}","kty":"RSA","n":"{{Base64Url.Encode(_modulus)}}"}""";
}
