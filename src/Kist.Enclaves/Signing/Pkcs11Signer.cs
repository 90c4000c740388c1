using Kist.Enclaves.Sgx;
using Kist.Formats;
using Kist.Linux.Pkcs11;

namespace Kist.Enclaves.Signing;

/// <summary>An enclave signing key that stays in a PKCS#11 token.</summary>
public sealed class Pkcs11Signer : ISigstructSigner, IDisposable
{
    private readonly Pkcs11Module _module;
    private readonly Pkcs11Session _session;
    private readonly nuint _key;
    private readonly byte[] _modulus;

    private Pkcs11Signer(Pkcs11Module module, Pkcs11Session session, nuint key, byte[] modulus)
    {
        _module = module;
        _session = session;
        _key = key;
        _modulus = modulus;
    }

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Modulus => _modulus;

    /// <summary>Opens a key.</summary>
    /// <param name="library">Path of the token's library.</param>
    /// <param name="token">The token's label.</param>
    /// <param name="pin">The user's PIN in UTF-8; the caller zeroes it.</param>
    /// <param name="key">The key's label.</param>
    /// <exception cref="OperationFailedException">There is no such token or key, or the PIN is wrong.</exception>
    /// <exception cref="MalformedDataException">The key is not RSA-3072 with exponent 3.</exception>
    public static Pkcs11Signer Open(string library, string token, ReadOnlySpan<byte> pin, string key)
    {
        var module = Pkcs11Module.Load(library);
        Pkcs11Session? session = null;
        try
        {
            session = module.Open(token, pin);
            var (modulus, exponent) = session.ReadRsa(session.FindKey(Pkcs11KeyKind.Public, key));
            if (modulus.Length != Sigstruct.RsaSize || exponent is not [3])
                throw new MalformedDataException("enclave signing key", -1, $"{modulus.Length * 8} bits with exponent {Convert.ToHexStringLower(exponent)}, not RSA-3072 with exponent 3");
            return new Pkcs11Signer(module, session, session.FindKey(Pkcs11KeyKind.Private, key), modulus);
        }
        catch
        {
            session?.Dispose();
            module.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public byte[] Sign(ReadOnlySpan<byte> message) => _session.Sign(_key, message);

    /// <inheritdoc/>
    public void Dispose()
    {
        _session.Dispose();
        _module.Dispose();
    }
}
