using System.Security.Cryptography;
using Kist.Formats;
using Kist.Oci;

namespace Kist.Images.Ocicrypt;

/// <summary>Who can hand out the key that a layer's secrets are wrapped under: in the guest, the key broker's client.</summary>
public interface ILayerKeyProvider
{
    /// <summary>The key of a resource URI.</summary>
    /// <param name="keyId">kbs:///repository/type/tag.</param>
    /// <param name="cancellationToken">Stops the request.</param>
    /// <returns>The key, 32 bytes, in a buffer of its own that the caller wipes.</returns>
    Task<byte[]> GetKeyAsync(string keyId, CancellationToken cancellationToken);
}

/// <summary>Opens wrapped keys of one scheme.</summary>
public interface ILayerKeyUnwrapper
{
    /// <summary>True if this can open packets of a scheme: "jwe", "pkcs7", "provider.attestation-agent", …</summary>
    bool Handles(string scheme);

    /// <summary>Opens a packet.</summary>
    /// <returns>The private options' JSON, which the caller wipes; null if the packet is for somebody else.</returns>
    Task<byte[]?> TryUnwrapAsync(string scheme, byte[] packet, CancellationToken cancellationToken);
}

/// <summary>Opens the packets of Confidential Containers' key provider with keys of the broker.</summary>
/// <param name="keys">Who has the keys.</param>
/// <param name="allowUnauthenticated">True accepts packets wrapped with A256CTR.</param>
public sealed class KeyPacketUnwrapper(ILayerKeyProvider keys, bool allowUnauthenticated = false) : ILayerKeyUnwrapper
{
    /// <inheritdoc/>
    public bool Handles(string scheme) => scheme.StartsWith("provider.", StringComparison.Ordinal);

    /// <inheritdoc/>
    public async Task<byte[]?> TryUnwrapAsync(string scheme, byte[] packet, CancellationToken cancellationToken)
    {
        var parsed = KeyPacket.Parse(packet);
        var key = await keys.GetKeyAsync(parsed.Kid, cancellationToken).ConfigureAwait(false);
        try
        {
            return parsed.Unwrap(key, allowUnauthenticated);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }
}

/// <summary>Finds the secrets of an encrypted layer among its wrapped keys.</summary>
public static class LayerKeys
{
    /// <summary>Opens the first wrapped key that can be opened.</summary>
    /// <exception cref="OperationFailedException">None can; the message says why for each.</exception>
    public static async Task<PrivateLayerOptions> UnwrapAsync(
        Descriptor layer, IReadOnlyList<ILayerKeyUnwrapper> unwrappers, CancellationToken cancellationToken)
    {
        var reasons = new List<string>();
        Exception? first = null;
        foreach (var (scheme, packet) in EncryptionAnnotations.ReadPackets(layer))
        {
            foreach (var unwrapper in unwrappers.Where(u => u.Handles(scheme)))
            {
                try
                {
                    if (await unwrapper.TryUnwrapAsync(scheme, packet, cancellationToken).ConfigureAwait(false) is { } json)
                        return Parse(json);
                }
                catch (Exception e) when (e is OperationFailedException or MalformedDataException)
                {
                    first ??= e;
                    reasons.Add(e.Message);
                    continue;
                }

                reasons.Add($"{scheme}: for somebody else's key");
            }

            if (!unwrappers.Any(u => u.Handles(scheme)))
                reasons.Add($"{scheme}: no key of this kind was given");
        }

        throw new OperationFailedException(
            "unwrap layer key", layer.Digest.ToString(), reasons.Count == 0 ? "the layer names no recipient" : string.Join("; ", reasons),
            (first as OperationFailedException)?.Hint, (first as OperationFailedException)?.IsTransient ?? false, first);
    }

    private static PrivateLayerOptions Parse(byte[] json)
    {
        try
        {
            return PrivateLayerOptions.Parse(json);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(json);
        }
    }
}
