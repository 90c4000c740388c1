using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.Attestation.Tpm;

/// <summary>
/// TPMT_PUBLIC of a signing key (TPM 2.0 Library part 2 section 12.2.4), big-endian: type 2, nameAlg 2, objectAttributes 4,
/// authPolicy, then RSA: symmetric, scheme, keyBits 2, exponent 4, modulus; ECC: symmetric, scheme, curve 2, kdf, x, y.
/// </summary>
/// <param name="Attributes">objectAttributes.</param>
/// <param name="SubjectPublicKeyInfo">The key as DER.</param>
public sealed record TpmPublicArea(uint Attributes, ReadOnlyMemory<byte> SubjectPublicKeyInfo)
{
    private const string Structure = "TPMT_PUBLIC";
    private const uint FixedTpm = 1 << 1, FixedParent = 1 << 4, SensitiveDataOrigin = 1 << 5, Restricted = 1 << 16, Sign = 1 << 18;

    /// <summary>
    /// True if the key was made in the TPM, cannot leave it, and signs only what the TPM itself made (restricted): any other key's
    /// quote could have been written by software.
    /// </summary>
    public bool IsAttestationKey => (Attributes & (FixedTpm | FixedParent | SensitiveDataOrigin | Restricted | Sign))
        == (FixedTpm | FixedParent | SensitiveDataOrigin | Restricted | Sign);

    /// <summary>Reads a public area; bytes after its end are refused.</summary>
    /// <exception cref="MalformedDataException">It is not of an RSA or ECC key, or does not follow its format.</exception>
    public static TpmPublicArea Parse(ReadOnlySpan<byte> bytes)
    {
        const int rsa = 0x0001, ecc = 0x0023;
        var cursor = new SpanCursor(bytes, Structure);
        var type = cursor.ReadUInt16BigEndian();
        cursor.ReadUInt16BigEndian();
        var attributes = cursor.ReadUInt32BigEndian();
        TpmQuoteReader.ReadSized(ref cursor);
        SkipSymmetric(ref cursor);
        SkipScheme(ref cursor);
        var spki = type switch
        {
            rsa => ReadRsa(ref cursor),
            ecc => ReadEcc(ref cursor),
            _ => throw cursor.Malformed($"type 0x{type:x4} is neither RSA nor ECC"),
        };
        cursor.ExpectEnd();
        return new TpmPublicArea(attributes, spki);
    }

    private static void SkipSymmetric(ref SpanCursor cursor)
    {
        if (cursor.ReadUInt16BigEndian() != (ushort)TpmAlgorithm.Null)
            cursor.ReadBytes(4);
    }

    private static void SkipScheme(ref SpanCursor cursor)
    {
        if (cursor.ReadUInt16BigEndian() != (ushort)TpmAlgorithm.Null)
            cursor.ReadBytes(2);
    }

    private static byte[] ReadRsa(ref SpanCursor cursor)
    {
        cursor.ReadUInt16BigEndian();
        var exponent = cursor.ReadUInt32BigEndian() is var e and not 0 ? e : 65537;
        var modulus = TpmQuoteReader.ReadSized(ref cursor);
        // The platform's import reads the first byte without looking.
        if (modulus.Length == 0)
            throw cursor.Malformed("the RSA key has no modulus");
        try
        {
            using var key = RSA.Create(new RSAParameters
            {
                Modulus = modulus,
                Exponent = [(byte)(exponent >> 24), (byte)(exponent >> 16), (byte)(exponent >> 8), (byte)exponent],
            });
            return key.ExportSubjectPublicKeyInfo();
        }
        catch (Exception e2) when (e2 is CryptographicException or ArgumentException)
        {
            throw new MalformedDataException(Structure, -1, "the RSA key is not usable", e2);
        }
    }

    private static byte[] ReadEcc(ref SpanCursor cursor)
    {
        var (curve, size) = cursor.ReadUInt16BigEndian() switch
        {
            3 => (ECCurve.NamedCurves.nistP256, 32),
            4 => (ECCurve.NamedCurves.nistP384, 48),
            5 => (ECCurve.NamedCurves.nistP521, 66),
            var other => throw cursor.Malformed($"curve 0x{other:x4} is not a NIST prime curve"),
        };
        SkipScheme(ref cursor);
        var x = TpmQuoteReader.ReadSized(ref cursor);
        var y = TpmQuoteReader.ReadSized(ref cursor);
        if (x.Length > size || y.Length > size)
            throw cursor.Malformed("a coordinate is longer than the curve's field");
        try
        {
            using var key = ECDsa.Create(new ECParameters { Curve = curve, Q = new ECPoint { X = Padded(x, size), Y = Padded(y, size) } });
            return key.ExportSubjectPublicKeyInfo();
        }
        catch (CryptographicException e)
        {
            throw new MalformedDataException(Structure, -1, "the point is not on its curve", e);
        }
    }

    private static byte[] Padded(byte[] number, int size)
    {
        var padded = new byte[size];
        number.CopyTo(padded, size - number.Length);
        return padded;
    }
}
