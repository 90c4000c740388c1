using System.Security.Cryptography;
using System.Text;
using Kist.Formats;
using Kist.Linux.Pkcs11;

namespace Kist.KeyBroker.Secrets;

/// <summary>
/// A master key in a PKCS#11 token: an AES-256 key that cannot be taken out. Wrapped keys are nonce (12 bytes), ciphertext,
/// tag (16 bytes) of AES-GCM with the context as associated data. Use is one at a time, as one session of a token is.
/// </summary>
public sealed class Pkcs11MasterKey : IMasterKey
{
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int MaxPinBytes = 256;

    // Libraries are initialised without being told of threads, and may be loaded more than once.
    internal static readonly Lock Library = new();

    private readonly Pkcs11Module _module;
    private readonly Pkcs11Session _session;
    private readonly nuint _key;

    private Pkcs11MasterKey(Pkcs11Module module, Pkcs11Session session, nuint key, string id)
    {
        _module = module;
        _session = session;
        _key = key;
        Id = id;
    }

    /// <inheritdoc/>
    public string Id { get; }

    /// <summary>Opens a key, or makes it first.</summary>
    /// <param name="library">Path of the token's library.</param>
    /// <param name="token">The token's label.</param>
    /// <param name="key">The key's label.</param>
    /// <param name="pinFile">File with the user's PIN, for its owner only.</param>
    /// <param name="create">True to make the key; it must not exist yet.</param>
    /// <exception cref="OperationFailedException">There is no such token or key, or the PIN is wrong.</exception>
    public static Pkcs11MasterKey Open(string library, string token, string key, string pinFile, bool create = false)
    {
        using var pin = SecretFiles.ReadLine(pinFile, MaxPinBytes, "read the token's PIN");
        lock (Library)
        {
            var module = Pkcs11Module.Load(library);
            Pkcs11Session? session = null;
            try
            {
                session = module.Open(token, pin.Span, create);
                if (create)
                {
                    if (HasKey(session, key))
                        throw new OperationFailedException("make master key", key, "the token has a key of this label", "choose another label");
                    session.GenerateAes(key);
                }

                return new Pkcs11MasterKey(module, session, session.FindKey(Pkcs11KeyKind.Secret, key), $"pkcs11:{token}/{key}");
            }
            catch
            {
                session?.Dispose();
                module.Dispose();
                throw;
            }
        }
    }

    /// <inheritdoc/>
    public byte[] Wrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> context)
    {
        var nonce = RandomNumberGenerator.GetBytes(NonceBytes);
        lock (Library)
            return [.. nonce, .. _session.EncryptGcm(_key, nonce, context, key)];
    }

    /// <inheritdoc/>
    public SecretBytes Unwrap(ReadOnlySpan<byte> wrapped, ReadOnlySpan<byte> context)
    {
        if (wrapped.Length < NonceBytes + TagBytes)
            throw new OperationFailedException("unwrap a key", Id, "it is too short", "restore the database from its backup");
        var key = new SecretBytes(wrapped.Length - NonceBytes - TagBytes);
        try
        {
            lock (Library)
                _session.DecryptGcm(_key, wrapped[..NonceBytes], context, wrapped[NonceBytes..], key.Span);
            return key;
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>Ends the session.</summary>
    public void Dispose()
    {
        lock (Library)
        {
            _session.Dispose();
            _module.Dispose();
        }
    }

    private static bool HasKey(Pkcs11Session session, string label)
    {
        try
        {
            session.FindKey(Pkcs11KeyKind.Secret, label);
            return true;
        }
        catch (OperationFailedException)
        {
            return false;
        }
    }
}
