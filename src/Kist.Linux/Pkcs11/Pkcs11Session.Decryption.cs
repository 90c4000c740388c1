using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Kist.Linux.Pkcs11;

/// <content>Decryption by RSA-OAEP (PKCS #11 2.40, section 2.1.8 of its mechanisms).</content>
public sealed unsafe partial class Pkcs11Session
{
    private const int DecryptInit = 33, Decrypt = 34;
    private const nuint RsaPkcsOaep = 9, Sha1 = 0x220, Sha256 = 0x250, Mgf1Sha1 = 1, Mgf1Sha256 = 2, DataSpecified = 1;

    /// <summary>Decrypts by RSAES-OAEP with MGF1 and an empty label.</summary>
    /// <param name="key">A private RSA key.</param>
    /// <param name="ciphertext">As long as the modulus.</param>
    /// <param name="hash">SHA-1 or SHA-256, for both the label and MGF1.</param>
    /// <returns>The plaintext, in a buffer that the caller wipes.</returns>
    public byte[] DecryptOaep(nuint key, ReadOnlySpan<byte> ciphertext, HashAlgorithmName hash)
    {
        var sha1 = hash == HashAlgorithmName.SHA1;
        var parameters = new OaepParameters { Hash = sha1 ? Sha1 : Sha256, MaskGeneration = sha1 ? Mgf1Sha1 : Mgf1Sha256, Source = DataSpecified };
        var mechanism = new Mechanism { Type = RsaPkcsOaep, Parameter = &parameters, ParameterLength = (nuint)sizeof(OaepParameters) };
        _module.Check(((delegate* unmanaged<nuint, Mechanism*, nuint, nuint>)_module.Function(DecryptInit))(_session, &mechanism, key), "start decryption");
        var plain = stackalloc byte[MaxAttributeSize];
        nuint length = MaxAttributeSize;
        try
        {
            fixed (byte* c = ciphertext)
                _module.Check(((delegate* unmanaged<nuint, byte*, nuint, byte*, nuint*, nuint>)_module.Function(Decrypt))(_session, c, (nuint)ciphertext.Length, plain, &length), "decrypt");
            var result = GC.AllocateUninitializedArray<byte>((int)length, pinned: true);
            new ReadOnlySpan<byte>(plain, (int)length).CopyTo(result);
            return result;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(new Span<byte>(plain, MaxAttributeSize));
        }
    }

    /// <summary>CK_RSA_PKCS_OAEP_PARAMS.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct OaepParameters
    {
        public nuint Hash;
        public nuint MaskGeneration;
        public nuint Source;
        public void* SourceData;
        public nuint SourceDataLength;
    }
}
