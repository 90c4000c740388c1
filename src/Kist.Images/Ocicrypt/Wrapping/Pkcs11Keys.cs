using System.Security.Cryptography;
using System.Text;
using Kist.Formats;
using Kist.Linux.Pkcs11;
using Kist.Linux.Processes;

namespace Kist.Images.Ocicrypt;

/// <summary>Wraps for RSA keys in tokens, by their public keys. The token is not needed for it.</summary>
public sealed class Pkcs11KeyWrapper(IReadOnlyList<RSA> recipients) : ILayerKeyWrapper
{
    /// <inheritdoc/>
    public Task<(string Scheme, byte[] Packet)> WrapAsync(ReadOnlyMemory<byte> privateOptions, CancellationToken cancellationToken) =>
        Task.FromResult(("pkcs11", Pkcs11Packet.Wrap(privateOptions.Span, recipients).ToBytes()));
}

/// <summary>Opens packets with private keys that stay in their tokens.</summary>
public sealed class Pkcs11KeyUnwrapper(IReadOnlyList<Pkcs11KeyFile> keys) : ILayerKeyUnwrapper
{
    /// <inheritdoc/>
    public bool Handles(string scheme) => scheme == "pkcs11";

    /// <inheritdoc/>
    public Task<byte[]?> TryUnwrapAsync(string scheme, byte[] packet, CancellationToken cancellationToken)
    {
        var parsed = Pkcs11Packet.Parse(packet);
        foreach (var key in keys)
        {
            using var token = Pkcs11Key.Open(key, Pkcs11KeyKind.Private);
            foreach (var recipient in parsed.Recipients)
            {
                if (token.TryDecrypt(recipient) is { } plain)
                    return Task.FromResult<byte[]?>(plain);
            }
        }

        return Task.FromResult<byte[]?>(null);
    }
}

/// <summary>A key in a token, with the session that reaches it.</summary>
public sealed class Pkcs11Key : IDisposable
{
    private readonly Pkcs11Module _module;
    private readonly Pkcs11Session _session;
    private readonly nuint _key;

    private Pkcs11Key(Pkcs11Module module, Pkcs11Session session, nuint key)
    {
        _module = module;
        _session = session;
        _key = key;
    }

    /// <summary>Finds a key.</summary>
    /// <exception cref="OperationFailedException">The library, token, PIN or key is not there.</exception>
    public static Pkcs11Key Open(Pkcs11KeyFile file, Pkcs11KeyKind kind)
    {
        if (kind == Pkcs11KeyKind.Private && file.Pin is null)
            throw new OperationFailedException("open token", file.Token ?? $"slot {file.Slot}", "its private key needs a PIN", "add pin-source or pin-value to the key file's URI");
        foreach (var (name, value) in file.Environment)
            NativeEnvironment.Set(name, value);
        var module = Pkcs11Module.Load(file.ModulePath);
        Pkcs11Session? session = null;
        var pin = Encoding.UTF8.GetBytes(file.Pin ?? "");
        try
        {
            session = file.Slot is { } slot ? module.OpenSlot(slot, pin) : module.Open(file.Token!, pin);
            return new Pkcs11Key(module, session, session.FindKey(kind, file.Label, file.Id));
        }
        catch
        {
            session?.Dispose();
            module.Dispose();
            throw;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pin);
        }
    }

    /// <summary>The public key, to encrypt with.</summary>
    public RSA ReadPublicKey()
    {
        var (modulus, exponent) = _session.ReadRsa(_key);
        return RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _session.Dispose();
        _module.Dispose();
    }

    // Null if the share is another key's. A token says no more than that it cannot decrypt.
    internal byte[]? TryDecrypt(Pkcs11Recipient recipient)
    {
        try
        {
            return _session.DecryptOaep(_key, recipient.Blob, recipient.HashName);
        }
        catch (OperationFailedException)
        {
            return null;
        }
    }
}
