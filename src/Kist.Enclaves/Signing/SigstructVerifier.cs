using System.Numerics;
using System.Security.Cryptography;
using Kist.Enclaves.Sgx;

namespace Kist.Enclaves.Signing;

/// <summary>Checks a SIGSTRUCT as EINIT does.</summary>
public static class SigstructVerifier
{
    /// <summary>
    /// Why EINIT would refuse this structure for an enclave, or null if it would not.
    /// </summary>
    /// <param name="sigstruct">The structure.</param>
    /// <param name="secs">
    /// The enclave's control page, with what was measured in MRENCLAVE. Null: only the structure itself is checked.
    /// </param>
    public static string? FindDefect(Sigstruct sigstruct, Secs? secs = null)
    {
        ArgumentNullException.ThrowIfNull(sigstruct);
        var modulus = Reversed(sigstruct.Modulus);
        var signature = Reversed(sigstruct.Signature);
        if ((modulus[0] & 0x80) == 0 || (modulus[^1] & 1) == 0)
            return "MODULUS is not an RSA modulus of 3072 bits";
        if (!IsSignature(sigstruct.SignedBytes(), modulus, signature))
            return "SIGNATURE is not the signature of this structure by MODULUS";
        var (q1, q2) = SigstructComposer.Quotients(modulus, signature);
        if (Number(sigstruct.Q1) != q1)
            return "Q1 is not the quotient of the squared signature and the modulus";
        if (Number(sigstruct.Q2) != q2)
            return "Q2 is not the second quotient of signature and modulus";
        return secs is null ? null : FindDifference(sigstruct, secs);
    }

    /// <summary>True if <paramref name="signature"/> is the RSASSA-PKCS1-v1_5 SHA-256 signature with exponent 3.</summary>
    internal static bool IsSignature(ReadOnlySpan<byte> message, ReadOnlySpan<byte> modulus, ReadOnlySpan<byte> signature)
    {
        using var rsa = RSA.Create(new RSAParameters { Modulus = modulus.ToArray(), Exponent = [3] });
        return rsa.VerifyData(message, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }

    private static string? FindDifference(Sigstruct sigstruct, Secs secs)
    {
        if (!CryptographicOperations.FixedTimeEquals(sigstruct.EnclaveHash, secs.MrEnclave))
        {
            return $"ENCLAVEHASH {Convert.ToHexStringLower(sigstruct.EnclaveHash)} is not the enclave's measurement " +
                Convert.ToHexStringLower(secs.MrEnclave);
        }

        if (secs.Attributes.And(sigstruct.AttributeMask) != sigstruct.Attributes.And(sigstruct.AttributeMask))
            return $"the enclave's attributes ({secs.Attributes}) are not those that were signed ({sigstruct.Attributes})";
        if ((secs.MiscSelect & sigstruct.MiscMask) != (sigstruct.MiscSelect & sigstruct.MiscMask))
            return $"the enclave's MISCSELECT 0x{secs.MiscSelect:x} is not the one that was signed, 0x{sigstruct.MiscSelect:x}";
        if ((secs.Attributes.Flags & EnclaveTraits.EInitTokenKey) != 0)
            return "the attribute EINITTOKENKEY is for launch enclaves";
        return null;
    }

    private static byte[] Reversed(ReadOnlySpan<byte> value)
    {
        var copy = value.ToArray();
        copy.AsSpan().Reverse();
        return copy;
    }

    private static BigInteger Number(ReadOnlySpan<byte> littleEndian) => new(littleEndian, isUnsigned: true);
}
