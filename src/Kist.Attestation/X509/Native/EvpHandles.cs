using System.Runtime.InteropServices;

namespace Kist.Attestation.X509.Native;

/// <summary>Owns an EVP_PKEY.</summary>
internal sealed class EvpKeyHandle : SafeHandle
{
    public EvpKeyHandle(nint key)
        : base(0, ownsHandle: true) => SetHandle(key);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        LibCrypto.EVP_PKEY_free(handle);
        return true;
    }
}

/// <summary>Owns an EVP_PKEY_CTX that is set up for verification. Used by one thread at a time.</summary>
internal sealed class EvpContextHandle : SafeHandle
{
    public EvpContextHandle(nint context)
        : base(0, ownsHandle: true) => SetHandle(context);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        LibCrypto.EVP_PKEY_CTX_free(handle);
        return true;
    }
}
