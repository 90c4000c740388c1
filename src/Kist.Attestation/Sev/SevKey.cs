using System.Security.Cryptography;
using Kist.Attestation.X509;

namespace Kist.Attestation.Sev;

/// <summary>A public key of the SEV chain, from AMD's little-endian form, with the signatures it makes.</summary>
internal sealed class SevKey
{
    private readonly PublicKey? _key;

    private SevKey(byte[] spki)
    {
        SubjectPublicKeyInfo = spki;
        _key = PublicKey.Parse(spki);
    }

    public byte[] SubjectPublicKeyInfo { get; }

    public bool IsEc => _key is { IsEc: true };

    public int Size => _key?.Size ?? 0;

    /// <summary>An EC key from coordinates, least significant byte first. Null if the curve is not known or the point not on it.</summary>
    public static SevKey? FromPoint(uint curve, ReadOnlySpan<byte> x, ReadOnlySpan<byte> y)
    {
        var (named, size) = curve switch
        {
            1 => (ECCurve.NamedCurves.nistP256, 32),
            2 => (ECCurve.NamedCurves.nistP384, 48),
            _ => (default, 0),
        };
        if (size == 0 || x[size..].ContainsAnyExcept((byte)0) || y[size..].ContainsAnyExcept((byte)0))
            return null;
        try
        {
            using var key = ECDsa.Create(new ECParameters { Curve = named, Q = new ECPoint { X = Reversed(x[..size]), Y = Reversed(y[..size]) } });
            return new SevKey(key.ExportSubjectPublicKeyInfo());
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>An RSA key from numbers, least significant byte first. Null if it is not usable.</summary>
    public static SevKey? FromRsa(ReadOnlySpan<byte> modulus, ReadOnlySpan<byte> exponent)
    {
        var (n, e) = (Reversed(modulus.TrimEnd((byte)0)), Reversed(exponent.TrimEnd((byte)0)));
        // The platform's import reads the first bytes without looking.
        if (n.Length == 0 || e.Length == 0)
            return null;
        try
        {
            using var key = RSA.Create(new RSAParameters { Modulus = n, Exponent = e });
            return new SevKey(key.ExportSubjectPublicKeyInfo());
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Checks a signature in AMD's form: r and s of 72 bytes each, or an RSA-PSS number, all least significant first.</summary>
    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature, HashAlgorithmName hash)
    {
        const int coordinate = 72;
        if (_key is null)
            return false;
        var digest = CryptographicOperations.HashData(hash, data);
        if (!_key.IsEc)
        {
            return signature.Length >= _key.Size && !signature[_key.Size..].ContainsAnyExcept((byte)0)
                && _key.VerifyRsaHash(digest, Reversed(signature[.._key.Size]), hash, RSASignaturePadding.Pss);
        }

        var r = signature[..coordinate];
        var s = signature[coordinate..(2 * coordinate)];
        var rest = signature[(2 * coordinate)..];
        if (r[_key.Size..].ContainsAnyExcept((byte)0) || s[_key.Size..].ContainsAnyExcept((byte)0) || rest.ContainsAnyExcept((byte)0))
            return false;
        return _key.VerifyEcdsaHash(digest, [.. Reversed(r[.._key.Size]), .. Reversed(s[.._key.Size])]);
    }

    private static byte[] Reversed(ReadOnlySpan<byte> bytes)
    {
        var copy = bytes.ToArray();
        Array.Reverse(copy);
        return copy;
    }
}
