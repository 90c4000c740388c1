using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.Images.Ocicrypt;

/// <summary>
/// A key provider for skopeo, buildah, podman and containerd: wraps layer keys in the packets that Confidential Containers'
/// guests open, and opens them again. How it is reached (gRPC, standard input) is the caller's.
/// </summary>
/// <param name="keys">Who has the keys.</param>
/// <param name="defaultKeyId">The key to wrap under where the request names none; null refuses such requests.</param>
public sealed class KeyProviderService(ILayerKeyProvider keys, string? defaultKeyId)
{
    /// <summary>Makes keys that are not there yet, for wrapping; null refuses such requests.</summary>
    public ILayerKeyMaker? Maker { get; init; }

    /// <summary>Answers one request.</summary>
    /// <param name="json">The request.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The answer's JSON.</returns>
    public async Task<byte[]> HandleAsync(ReadOnlyMemory<byte> json, CancellationToken cancellationToken)
    {
        var request = KeyProviderMessage.ParseRequest(json.Span);
        if (!request.IsWrap)
        {
            var plain = await new KeyPacketUnwrapper(keys).TryUnwrapAsync("provider", request.Data, cancellationToken).ConfigureAwait(false);
            try
            {
                return KeyProviderMessage.WriteAnswer(isWrap: false, plain);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(plain);
            }
        }

        var (keyId, key) = await KeyForAsync(KeyIdOf(request), cancellationToken).ConfigureAwait(false);
        try
        {
            return KeyProviderMessage.WriteAnswer(isWrap: true, KeyPacket.Wrap(request.Data, keyId, key).ToBytes());
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
            CryptographicOperations.ZeroMemory(request.Data);
        }
    }

    private async Task<(string KeyId, byte[] Key)> KeyForAsync(string? keyId, CancellationToken cancellationToken)
    {
        if (Maker is not null)
            return await Maker.MakeAsync(keyId, cancellationToken).ConfigureAwait(false);
        if (keyId is null)
            throw new OperationFailedException("wrap layer key", "key provider", "no key was named", "write provider:attestation-agent:keyid=kbs:///…");
        return (keyId, await keys.GetKeyAsync(keyId, cancellationToken).ConfigureAwait(false));
    }

    // CoCo's provider takes "keyid=kbs:///…::algorithm=A256GCM::keypath=…".
    private string? KeyIdOf(KeyProviderRequest request)
    {
        var keyId = defaultKeyId;
        foreach (var setting in request.Parameters.SelectMany(p => p.Parameter.Split("::", StringSplitOptions.RemoveEmptyEntries)))
        {
            var equals = setting.IndexOf('=', StringComparison.Ordinal);
            var (name, value) = equals < 0 ? (setting, "") : (setting[..equals], setting[(equals + 1)..]);
            switch (name)
            {
                case "keyid":
                    keyId = value.StartsWith("kbs://", StringComparison.Ordinal) ? value : "kbs:///" + value.TrimStart('/');
                    break;
                case "algorithm" when value == KeyPacket.Gcm:
                case "Enabled" when value.Length == 0:
                case "sample" when value == "false":
                    break;
                default:
                    throw new OperationFailedException("wrap layer key", setting, "this setting is not accepted", "accepted: keyid=kbs:///…, algorithm=A256GCM");
            }
        }

        return keyId;
    }
}

/// <summary>Makes keys and has them stored where attested guests can get them.</summary>
public interface ILayerKeyMaker
{
    /// <summary>The key of a name, made if it is not there.</summary>
    /// <param name="keyId">kbs:///repository/type/tag; null for one key of a name of its own.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The name, and the key, 32 bytes, in a buffer of its own that the caller wipes.</returns>
    Task<(string KeyId, byte[] Key)> MakeAsync(string? keyId, CancellationToken cancellationToken);
}
