namespace Kist.Attestation.X509.Native;

/// <summary>
/// An EC public key in libcrypto, with contexts that are kept between signatures. Safe for concurrent use: each signature
/// takes a context out of the pool, and a new one is made if all are taken. Allocates nothing once contexts exist.
/// </summary>
internal sealed unsafe class EvpEcKey
{
    private const int PoolSize = 8;
    private const int MaxCoordinate = 66;

    private readonly EvpKeyHandle _key;
    private readonly EvpContextHandle?[] _pool = new EvpContextHandle?[PoolSize];

    private EvpEcKey(EvpKeyHandle key) => _key = key;

    /// <summary>Makes a key; null if the point is not on the curve.</summary>
    /// <param name="group">The curve's name as OpenSSL has it, ending in NUL.</param>
    /// <param name="xy">Coordinates, x then y.</param>
    public static EvpEcKey? Create(ReadOnlySpan<byte> group, ReadOnlySpan<byte> xy)
    {
        Span<byte> point = stackalloc byte[1 + (2 * MaxCoordinate)];
        point = point[..(1 + xy.Length)];
        point[0] = 0x04;
        xy.CopyTo(point[1..]);
        fixed (byte* algorithm = "EC\0"u8, groupName = "group\0"u8, pointName = "pub\0"u8, groupData = group, pointData = point)
        {
            var parameters = stackalloc OsslParameter[3];
            parameters[0] = new OsslParameter { Key = groupName, DataType = LibCrypto.Utf8String, Data = groupData, DataSize = (nuint)group.Length - 1 };
            parameters[1] = new OsslParameter { Key = pointName, DataType = LibCrypto.OctetString, Data = pointData, DataSize = (nuint)point.Length };
            parameters[2] = default;
            var context = LibCrypto.EVP_PKEY_CTX_new_from_name(0, algorithm, null);
            nint key = 0;
            var made = context != 0 && LibCrypto.EVP_PKEY_fromdata_init(context) == 1
                && LibCrypto.EVP_PKEY_fromdata(context, &key, LibCrypto.SelectPublicKey, parameters) == 1;
            LibCrypto.EVP_PKEY_CTX_free(context);
            if (made && key != 0)
                return new EvpEcKey(new EvpKeyHandle(key));
            LibCrypto.ERR_clear_error();
            return null;
        }
    }

    /// <summary>Checks a signature, given as r then s, over a digest.</summary>
    public bool Verify(ReadOnlySpan<byte> digest, ReadOnlySpan<byte> rs)
    {
        Span<byte> der = stackalloc byte[EcdsaSignature.MaxDerSize];
        der = der[..EcdsaSignature.WriteDer(rs, der)];
        var context = Rent();
        fixed (byte* signature = der, data = digest)
        {
            var added = false;
            try
            {
                context.DangerousAddRef(ref added);
                var result = LibCrypto.EVP_PKEY_verify(
                    context.DangerousGetHandle(), signature, (nuint)der.Length, data, (nuint)digest.Length);
                if (result != 1)
                    LibCrypto.ERR_clear_error();
                return result == 1;
            }
            finally
            {
                if (added)
                    context.DangerousRelease();
                Return(context);
            }
        }
    }

    private EvpContextHandle Rent()
    {
        var start = Environment.CurrentManagedThreadId;
        for (var i = 0; i < PoolSize; i++)
        {
            if (Interlocked.Exchange(ref _pool[(start + i) % PoolSize], null) is { } pooled)
                return pooled;
        }

        var added = false;
        try
        {
            _key.DangerousAddRef(ref added);
            var context = new EvpContextHandle(LibCrypto.EVP_PKEY_CTX_new(_key.DangerousGetHandle(), 0));
            if (context.IsInvalid || LibCrypto.EVP_PKEY_verify_init(context.DangerousGetHandle()) != 1)
                throw new InvalidOperationException("libcrypto refuses to verify with a key that it has made");
            return context;
        }
        finally
        {
            if (added)
                _key.DangerousRelease();
        }
    }

    private void Return(EvpContextHandle context)
    {
        var start = Environment.CurrentManagedThreadId;
        for (var i = 0; i < PoolSize; i++)
        {
            if (Interlocked.CompareExchange(ref _pool[(start + i) % PoolSize], context, null) is null)
                return;
        }

        context.Dispose();
    }
}
