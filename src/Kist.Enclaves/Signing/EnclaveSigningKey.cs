using System.Security.Cryptography;
using System.Text;
using Kist.Enclaves.Sgx;
using Kist.Formats;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;
using BigInteger = Org.BouncyCastle.Math.BigInteger;

namespace Kist.Enclaves.Signing;

/// <summary>An enclave signing key in memory: RSA-3072 with public exponent 3.</summary>
public sealed class EnclaveSigningKey : ISigstructSigner, IDisposable
{
    private const int KeyBits = 3072;
    private const int PrimalityCertainty = 128;
    private const int MaxPemBytes = 64 * 1024;

    private readonly RSA _rsa;
    private readonly byte[] _modulus;

    private EnclaveSigningKey(RSA rsa, byte[] modulus)
    {
        _rsa = rsa;
        _modulus = modulus;
    }

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Modulus => _modulus;

    /// <summary>MRSIGNER of what this key signs: SHA-256 of the little-endian modulus. 32 bytes.</summary>
    public byte[] MrSigner() => MrSignerOf(_modulus);

    /// <summary>MRSIGNER of a modulus given most significant byte first.</summary>
    public static byte[] MrSignerOf(ReadOnlySpan<byte> modulus)
    {
        var littleEndian = modulus.ToArray();
        littleEndian.AsSpan().Reverse();
        return SHA256.HashData(littleEndian);
    }

    /// <summary>Generates a key. Takes about a second: RSA.Create offers no choice of the exponent.</summary>
    public static EnclaveSigningKey Generate()
    {
        var generator = new RsaKeyPairGenerator();
        generator.Init(new RsaKeyGenerationParameters(
            BigInteger.Three, new Org.BouncyCastle.Security.SecureRandom(), KeyBits, PrimalityCertainty));
        var key = (RsaPrivateCrtKeyParameters)generator.GenerateKeyPair().Private;
        var parameters = new RSAParameters
        {
            Modulus = Unsigned(key.Modulus, KeyBits / 8),
            Exponent = [3],
            D = Unsigned(key.Exponent, KeyBits / 8),
            P = Unsigned(key.P, KeyBits / 16),
            Q = Unsigned(key.Q, KeyBits / 16),
            DP = Unsigned(key.DP, KeyBits / 16),
            DQ = Unsigned(key.DQ, KeyBits / 16),
            InverseQ = Unsigned(key.QInv, KeyBits / 16),
        };
        try
        {
            return new EnclaveSigningKey(RSA.Create(parameters), parameters.Modulus);
        }
        finally
        {
            foreach (var secret in new[] { parameters.D, parameters.P, parameters.Q, parameters.DP, parameters.DQ, parameters.InverseQ })
                CryptographicOperations.ZeroMemory(secret);
        }
    }

    /// <summary>Reads an unencrypted private key in PEM ("RSA PRIVATE KEY" or "PRIVATE KEY").</summary>
    /// <exception cref="MalformedDataException">There is none, or it is not RSA-3072 with exponent 3.</exception>
    public static EnclaveSigningKey FromPem(ReadOnlySpan<byte> pem)
    {
        var rsa = RSA.Create();
        try
        {
            Import(rsa, pem, "enclave signing key");
            return new EnclaveSigningKey(rsa, CheckedModulus(rsa, "enclave signing key"));
        }
        catch
        {
            rsa.Dispose();
            throw;
        }
    }

    /// <summary>Reads the modulus of a public key in PEM. 384 bytes, most significant byte first.</summary>
    /// <exception cref="MalformedDataException">There is none, or it is not RSA-3072 with exponent 3.</exception>
    public static byte[] ModulusFromPem(ReadOnlySpan<byte> pem)
    {
        using var rsa = RSA.Create();
        Import(rsa, pem, "enclave signer's public key");
        return CheckedModulus(rsa, "enclave signer's public key");
    }

    /// <summary>The private key as PEM in ASCII. The caller zeroes it after use.</summary>
    public byte[] ExportPem()
    {
        var der = _rsa.ExportRSAPrivateKey();
        var text = new char[PemEncoding.GetEncodedSize("RSA PRIVATE KEY".Length, der.Length)];
        try
        {
            PemEncoding.TryWrite("RSA PRIVATE KEY", der, text, out var written);
            return [.. Encoding.ASCII.GetBytes(text, 0, written), (byte)'\n'];
        }
        finally
        {
            CryptographicOperations.ZeroMemory(der);
            Array.Clear(text);
        }
    }

    /// <summary>The public key as PEM.</summary>
    public string ExportPublicPem() => _rsa.ExportSubjectPublicKeyInfoPem() + "\n";

    /// <inheritdoc/>
    public byte[] Sign(ReadOnlySpan<byte> message) =>
        _rsa.SignData(message.ToArray(), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    /// <inheritdoc/>
    public void Dispose() => _rsa.Dispose();

    private static void Import(RSA rsa, ReadOnlySpan<byte> pem, string name)
    {
        if (pem.Length > MaxPemBytes)
            throw new MalformedDataException(name, -1, $"{pem.Length} bytes, more than the limit of {MaxPemBytes}");
        var text = new char[pem.Length];
        try
        {
            Encoding.Latin1.GetChars(pem, text);
            rsa.ImportFromPem(text);
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            throw new MalformedDataException(name, -1, "not an unencrypted RSA key in PEM", e);
        }
        finally
        {
            Array.Clear(text);
        }
    }

    private static byte[] CheckedModulus(RSA rsa, string name)
    {
        var parameters = rsa.ExportParameters(includePrivateParameters: false);
        if (parameters.Modulus is not { Length: Sigstruct.RsaSize } modulus || (modulus[0] & 0x80) == 0)
            throw new MalformedDataException(name, -1, $"{rsa.KeySize} bits, not {KeyBits}");
        if (parameters.Exponent is not [3])
            throw new MalformedDataException(name, -1, "the public exponent is not 3, which SGX demands");
        return modulus;
    }

    private static byte[] Unsigned(BigInteger value, int length)
    {
        var bytes = value.ToByteArrayUnsigned();
        if (bytes.Length == length)
            return bytes;
        var padded = new byte[length];
        bytes.CopyTo(padded.AsSpan(length - bytes.Length));
        CryptographicOperations.ZeroMemory(bytes);
        return padded;
    }
}
