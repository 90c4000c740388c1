using Kist.Formats;

namespace Kist.KeyBroker.Secrets;

/// <summary>
/// The key that protects all others: it wraps the keys of single secrets and never leaves its keeper (a file, a token, a
/// service). Safe for concurrent use.
/// </summary>
public interface IMasterKey : IDisposable
{
    /// <summary>Its name, stored beside whatever it wrapped.</summary>
    string Id { get; }

    /// <summary>Wraps a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="context">What the key is for; unwrapping succeeds for the same context only.</param>
    byte[] Wrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> context);

    /// <summary>Unwraps a key. The caller disposes it.</summary>
    /// <exception cref="OperationFailedException">It was wrapped by another key or for another context, or was changed.</exception>
    SecretBytes Unwrap(ReadOnlySpan<byte> wrapped, ReadOnlySpan<byte> context);
}
