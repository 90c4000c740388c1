using System.Runtime.InteropServices;

namespace Kist.Attestation.X509.Native;

/// <summary>
/// The few functions of OpenSSL 3's libcrypto that check signatures with a key that is kept. The platform's own ECDsa makes
/// a new context for each signature, and takes longer to import a P-256 key than to check a signature with it.
/// </summary>
internal static unsafe partial class LibCrypto
{
    private const string Library = "libcrypto.so.3";

    /// <summary>EVP_PKEY_PUBLIC_KEY of openssl/evp.h: domain parameters and public key.</summary>
    public const int SelectPublicKey = 0x86;

    /// <summary>OSSL_PARAM_UTF8_STRING and OSSL_PARAM_OCTET_STRING of openssl/core.h.</summary>
    public const uint Utf8String = 4;

    public const uint OctetString = 5;

    /// <summary>False where there is no OpenSSL 3 of that name; the platform's ECDsa is used then.</summary>
    public static bool IsAvailable { get; } = NativeLibrary.TryLoad(Library, out _);

    [LibraryImport(Library)]
    public static partial nint EVP_PKEY_CTX_new_from_name(nint context, byte* name, byte* properties);

    [LibraryImport(Library)]
    public static partial nint EVP_PKEY_CTX_new(nint key, nint engine);

    [LibraryImport(Library)]
    public static partial void EVP_PKEY_CTX_free(nint context);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_fromdata_init(nint context);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_fromdata(nint context, nint* key, int selection, OsslParameter* parameters);

    [LibraryImport(Library)]
    public static partial void EVP_PKEY_free(nint key);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_verify_init(nint context);

    [LibraryImport(Library)]
    public static partial int EVP_PKEY_verify(nint context, byte* signature, nuint signatureLength, byte* digest, nuint digestLength);

    [LibraryImport(Library)]
    public static partial void ERR_clear_error();
}

/// <summary>OSSL_PARAM of openssl/core.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct OsslParameter
{
    public byte* Key;
    public uint DataType;
    public void* Data;
    public nuint DataSize;
    public nuint ReturnSize;
}
