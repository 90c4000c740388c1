using System.Security.Cryptography;
using System.Text.Json;

namespace Kist.Formats.Jose;

/// <summary>An elliptic-curve public key on P-256, P-384 or P-521 (RFC 7518 section 6.2).</summary>
public sealed class EcJsonWebKey : JsonWebKey
{
    private readonly byte[] _x;
    private readonly byte[] _y;

    /// <summary>Parses the members; the coordinates must have the curve's full size, left padded with zeros.</summary>
    /// <exception cref="MalformedDataException">An unknown curve, or coordinates of another size.</exception>
    public EcJsonWebKey(string curve, string x, string y, string? algorithm)
        : base(algorithm)
    {
        if (EcCurveInfo.CurveOf(curve) is null)
            throw Malformed($"the curve \"{Printable(curve)}\" is not P-256, P-384 or P-521");
        Curve = curve;
        var size = EcCurveInfo.CoordinateSize(curve);
        _x = Base64Url.DecodeExact(x, size, "JSON Web Key member x");
        _y = Base64Url.DecodeExact(y, size, "JSON Web Key member y");
    }

    private EcJsonWebKey(string curve, byte[] x, byte[] y, string? algorithm)
        : base(algorithm)
    {
        Curve = curve;
        _x = x;
        _y = y;
    }

    /// <inheritdoc/>
    public override string KeyType => "EC";

    /// <summary>"P-256", "P-384" or "P-521".</summary>
    public string Curve { get; }

    /// <summary>The x coordinate, as long as the curve's field.</summary>
    public ReadOnlyMemory<byte> X => _x;

    /// <summary>The y coordinate, as long as the curve's field.</summary>
    public ReadOnlyMemory<byte> Y => _y;

    /// <summary>The public part of a key.</summary>
    public static EcJsonWebKey FromPublicKey(ECAlgorithm key, string? algorithm)
    {
        var name = EcCurveInfo.NameOf(key.KeySize) ?? throw new ArgumentException("the key is on no curve of JOSE", nameof(key));
        var parameters = key.ExportParameters(false);
        return new EcJsonWebKey(name, parameters.Q.X!, parameters.Q.Y!, algorithm);
    }

    /// <summary>Sees that the key is valid, at a hundredth of the cost of making it one of the platform's.</summary>
    /// <exception cref="MalformedDataException">The point is not on the curve.</exception>
    public void CheckPoint()
    {
        if (!EcCurveInfo.IsOnCurve(Curve, _x, _y))
            throw Malformed($"x and y are no point of {Curve}");
    }

    /// <summary>Makes a verifier of signatures. The caller disposes it.</summary>
    /// <exception cref="MalformedDataException">The point is not on the curve.</exception>
    public ECDsa CreateECDsa() => Import(ECDsa.Create);

    /// <summary>Makes the other party of a key agreement. The caller disposes it.</summary>
    /// <exception cref="MalformedDataException">The point is not on the curve.</exception>
    public ECDiffieHellman CreateECDiffieHellman() => Import(ECDiffieHellman.Create);

    /// <inheritdoc/>
    public override void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        if (Algorithm is not null)
            writer.WriteString("alg"u8, Algorithm);
        writer.WriteString("crv"u8, Curve);
        writer.WriteString("kty"u8, "EC"u8);
        writer.WriteString("x"u8, Base64Url.Encode(_x));
        writer.WriteString("y"u8, Base64Url.Encode(_y));
        writer.WriteEndObject();
    }

    private protected override string RequiredMembers() =>
        $$"""{"crv":"{{Curve}}","kty":"EC","x":"{{Base64Url.Encode(_x)}}","y":"{{Base64Url.Encode(_y)}}"}""";

    private T Import<T>(Func<ECParameters, T> create)
    {
        try
        {
            return create(new ECParameters
            {
                Curve = EcCurveInfo.CurveOf(Curve)!.Value,
                Q = new ECPoint { X = _x, Y = _y },
            });
        }
        catch (CryptographicException e)
        {
            throw Malformed($"x and y are no point of {Curve}", e);
        }
    }
}
