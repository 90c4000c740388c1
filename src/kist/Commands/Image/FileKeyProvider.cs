using Kist.Formats;
using Kist.Images.Ocicrypt;

namespace Kist.Cli.Commands.Image;

/// <summary>Keys of the broker that are in files here.</summary>
/// <param name="pairs">kbs:///…=FILE each.</param>
sealed class FileKeyProvider(string[] pairs) : ILayerKeyProvider
{
    /// <summary>True if a key is there.</summary>
    public bool Has(string keyId) => pairs.Any(p => p.StartsWith(keyId + "=", StringComparison.Ordinal));

    public async Task<byte[]> GetKeyAsync(string keyId, CancellationToken cancellationToken)
    {
        var pair = pairs.FirstOrDefault(p => p.StartsWith(keyId + "=", StringComparison.Ordinal)) ?? throw new OperationFailedException(
            "get key", keyId, "this key was not given", $"add --key {keyId}=FILE");
        return await File.ReadAllBytesAsync(pair[(keyId.Length + 1)..], cancellationToken);
    }
}
