using Kist.Formats;

namespace Kist.Images.Ocicrypt;

/// <summary>Answers for one key that is at hand, and for no other.</summary>
/// <param name="known">The key's resource URI.</param>
/// <param name="key">The key, 32 bytes; it stays the caller's.</param>
public sealed class FixedKeyProvider(string known, ReadOnlyMemory<byte> key) : ILayerKeyProvider
{
    /// <inheritdoc/>
    public Task<byte[]> GetKeyAsync(string keyId, CancellationToken cancellationToken) => keyId == known
        ? Task.FromResult(key.ToArray())
        : throw new OperationFailedException("get key", keyId, $"the key at hand is {known}");
}
