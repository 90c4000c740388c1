using System.Runtime.InteropServices;
using Kist.Formats;

namespace Kist.Linux.Pkcs11;

/// <summary>AES keys that never leave the token (PKCS #11 2.40, mechanisms CKM_AES_KEY_GEN and CKM_AES_GCM).</summary>
public sealed unsafe partial class Pkcs11Session
{
    private const int EncryptInit = 29, Encrypt_ = 30, GenerateKey = 58;
    private const nuint AesKeyGeneration = 0x1080, AesGcm = 0x1087, AesKeyType = 0x1f;
    private const nuint TokenAttribute = 1, PrivateAttribute = 2, KeyTypeAttribute = 0x100, SensitiveAttribute = 0x103, EncryptAttribute = 0x104,
        DecryptAttribute = 0x105, ValueLengthAttribute = 0x161, ExtractableAttribute = 0x162;
    private const int TagSize = 16;

    /// <summary>Makes an AES-256 key in the token that cannot be taken out of it. Needs a writable session.</summary>
    /// <exception cref="OperationFailedException">The token has a key of this label, or makes none.</exception>
    public void GenerateAes(string label)
    {
        var text = System.Text.Encoding.UTF8.GetBytes(label);
        byte yes = 1, no = 0;
        nuint kind = (nuint)Pkcs11KeyKind.Secret, type = AesKeyType, size = 32, key;
        var mechanism = new Mechanism { Type = AesKeyGeneration };
        fixed (byte* name = text)
        {
            ReadOnlySpan<Attribute> template =
            [
                Of(ClassAttribute, &kind), Of(KeyTypeAttribute, &type), Of(ValueLengthAttribute, &size),
                Flag(TokenAttribute, &yes), Flag(PrivateAttribute, &yes), Flag(SensitiveAttribute, &yes), Flag(ExtractableAttribute, &no),
                Flag(EncryptAttribute, &yes), Flag(DecryptAttribute, &yes),
                new Attribute { Type = LabelAttribute, Value = name, Length = (nuint)text.Length },
            ];
            fixed (Attribute* t = template)
            {
                _module.Check(
                    ((delegate* unmanaged<nuint, Mechanism*, Attribute*, nuint, nuint*, nuint>)_module.Function(GenerateKey))(_session, &mechanism, t, (nuint)template.Length, &key),
                    "make AES key");
            }
        }
    }

    /// <summary>Encrypts by AES-GCM; the tag of 16 bytes comes after the ciphertext.</summary>
    public byte[] EncryptGcm(nuint key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> plaintext)
    {
        var sealedText = new byte[plaintext.Length + TagSize];
        var length = Gcm(EncryptInit, Encrypt_, "encrypt", key, nonce, associatedData, plaintext, sealedText);
        return length == sealedText.Length ? sealedText : throw new OperationFailedException("PKCS#11: encrypt", "AES-GCM", $"the token gave {length} bytes for {plaintext.Length}");
    }

    /// <summary>Decrypts what <see cref="EncryptGcm"/> made.</summary>
    /// <param name="key">The key.</param>
    /// <param name="nonce">The nonce.</param>
    /// <param name="associatedData">The associated data.</param>
    /// <param name="sealedText">Ciphertext and tag.</param>
    /// <param name="plaintext">As long as <paramref name="sealedText"/> without its tag.</param>
    /// <exception cref="OperationFailedException">Another key made it, or it was changed.</exception>
    public void DecryptGcm(nuint key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> sealedText, Span<byte> plaintext)
    {
        // Some tokens count the tag into the size of the result's buffer.
        using var buffer = new SecretBytes(sealedText.Length);
        var length = Gcm(DecryptInit, Decrypt, "decrypt", key, nonce, associatedData, sealedText, buffer.Span);
        if (length != plaintext.Length)
            throw new OperationFailedException("PKCS#11: decrypt", "AES-GCM", $"the token gave {length} bytes, not {plaintext.Length}");
        buffer.Span[..length].CopyTo(plaintext);
    }

    private int Gcm(int start, int run, string step, nuint key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> input, Span<byte> output)
    {
        nuint length = (nuint)output.Length;
        fixed (byte* n = nonce)
        fixed (byte* a = associatedData)
        fixed (byte* i = input)
        fixed (byte* o = output)
        {
            var parameters = new GcmParameters { Iv = n, IvLength = (nuint)nonce.Length, IvBits = (nuint)nonce.Length * 8, Aad = a, AadLength = (nuint)associatedData.Length, TagBits = TagSize * 8 };
            var mechanism = new Mechanism { Type = AesGcm, Parameter = &parameters, ParameterLength = (nuint)sizeof(GcmParameters) };
            _module.Check(((delegate* unmanaged<nuint, Mechanism*, nuint, nuint>)_module.Function(start))(_session, &mechanism, key), step);
            _module.Check(((delegate* unmanaged<nuint, byte*, nuint, byte*, nuint*, nuint>)_module.Function(run))(_session, i, (nuint)input.Length, o, &length), step);
        }

        return (int)length;
    }

    private static Attribute Of(nuint type, nuint* value) => new() { Type = type, Value = value, Length = (nuint)sizeof(nuint) };

    private static Attribute Flag(nuint type, byte* value) => new() { Type = type, Value = value, Length = 1 };

    /// <summary>CK_GCM_PARAMS.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct GcmParameters
    {
        public byte* Iv;
        public nuint IvLength;
        public nuint IvBits;
        public byte* Aad;
        public nuint AadLength;
        public nuint TagBits;
    }
}
