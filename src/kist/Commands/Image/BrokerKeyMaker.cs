using System.Collections.Concurrent;
using System.Security.Cryptography;
using Kist.Formats;
using Kist.Host;
using Kist.Images.Ocicrypt;
using Kist.KeyBroker.Protocol;

namespace Kist.Cli.Commands.Image;

/// <summary>
/// Keys for a key provider that the broker gets: one that is not in a file is made, stored at the broker, and kept in memory
/// until this ends, so that the layers of one image share it. A broker gives no key back to an administrator.
/// </summary>
sealed class BrokerKeyMaker(KeyBrokerAdminClient broker, FileKeyProvider files, string? policy) : ILayerKeyProvider, ILayerKeyMaker, IDisposable
{
    private readonly ConcurrentDictionary<string, SecretBytes> _made = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _making = new(1, 1);
    private string? _unnamed;

    public Task<byte[]> GetKeyAsync(string keyId, CancellationToken cancellationToken) =>
        _made.TryGetValue(keyId, out var key) ? Task.FromResult(key.Span.ToArray()) : files.GetKeyAsync(keyId, cancellationToken);

    public async Task<(string KeyId, byte[] Key)> MakeAsync(string? keyId, CancellationToken cancellationToken)
    {
        await _making.WaitAsync(cancellationToken);
        try
        {
            var name = keyId ?? (_unnamed ??= $"kbs:///default/image-key/{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12))}");
            if (!files.Has(name) && !_made.ContainsKey(name))
                await StoreAsync(ResourceUri.Parse(name), name, cancellationToken);
            return (name, await GetKeyAsync(name, cancellationToken));
        }
        finally
        {
            _making.Release();
        }
    }

    public void Dispose()
    {
        foreach (var key in _made.Values)
            key.Dispose();
        _making.Dispose();
    }

    private async Task StoreAsync(ResourceUri uri, string name, CancellationToken cancellationToken)
    {
        // A new version would lock out every image under the old one.
        if ((await broker.ListResourceVersionsAsync(uri, cancellationToken)).Count > 0)
            throw new OperationFailedException("make image key", name, "the broker has a key of this name, and gives it to attested guests only", "choose another name, or give its file: --key URI=FILE");
        var key = SecretBytes.Random(32);
        try
        {
            await broker.SetResourcePolicyAsync(uri.Path, policy ?? ImageKeyPolicy.Write([]), cancellationToken);
            await broker.PutResourceAsync(uri, key.Memory, cancellationToken);
            _made[name] = key;
        }
        catch
        {
            key.Dispose();
            throw;
        }

        Terminal.Note($"made {name}{(policy is null ? "; nobody may have it until you say who: kist broker policy" : "")}");
    }
}
