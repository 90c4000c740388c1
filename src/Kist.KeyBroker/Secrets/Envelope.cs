using System.Text;
using Kist.Formats;

namespace Kist.KeyBroker.Secrets;

/// <summary>A secret as stored: encrypted under a key of its own, which is wrapped by the master key.</summary>
/// <param name="MasterKey">Which master key wrapped the key.</param>
/// <param name="WrappedKey">The wrapped key.</param>
/// <param name="Sealed">The encrypted secret.</param>
sealed record Envelope(string MasterKey, byte[] WrappedKey, byte[] Sealed)
{
    /// <summary>
    /// Encrypts. Both layers are bound to the name and version, so that whoever writes to the database cannot pass one
    /// secret off as another, or an old version as the present one.
    /// </summary>
    public static Envelope Seal(MasterKeyRing keys, ReadOnlySpan<byte> secret, string name, long version)
    {
        using var key = SecretBytes.Random(AesGcmBox.KeyBytes);
        var context = Context(name, version);
        var (id, wrapped) = keys.Wrap(key.Span, context);
        return new Envelope(id, wrapped, AesGcmBox.Seal(key.Span, secret, context));
    }

    /// <summary>Decrypts. The caller disposes the result.</summary>
    /// <exception cref="OperationFailedException">What is stored was changed, or its master key is not at hand.</exception>
    public SecretBytes Open(MasterKeyRing keys, string name, long version)
    {
        var context = Context(name, version);
        using var key = keys.Unwrap(MasterKey, WrappedKey, context);
        return AesGcmBox.Open(key.Span, Sealed, context)
            ?? throw new OperationFailedException("decrypt a stored secret", name, "what is stored was changed", "restore the database from its backup");
    }

    /// <summary>The same secret with its key wrapped by the present master key.</summary>
    public Envelope Rewrap(MasterKeyRing keys, string name, long version)
    {
        var context = Context(name, version);
        using var key = keys.Unwrap(MasterKey, WrappedKey, context);
        var (id, wrapped) = keys.Wrap(key.Span, context);
        return this with { MasterKey = id, WrappedKey = wrapped };
    }

    private static byte[] Context(string name, long version) => Encoding.UTF8.GetBytes($"kist envelope 1\n{name}\n{version}");
}
