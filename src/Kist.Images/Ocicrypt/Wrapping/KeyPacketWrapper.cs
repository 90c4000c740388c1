namespace Kist.Images.Ocicrypt;

/// <summary>Wraps under a key of the broker, as Confidential Containers' guests expect it.</summary>
/// <param name="keyId">The key's resource URI, kbs:///repository/type/tag.</param>
/// <param name="key">The key, 32 bytes; the caller wipes it afterwards.</param>
public sealed class KeyPacketWrapper(string keyId, ReadOnlyMemory<byte> key) : ILayerKeyWrapper
{
    /// <inheritdoc/>
    public Task<(string Scheme, byte[] Packet)> WrapAsync(ReadOnlyMemory<byte> privateOptions, CancellationToken cancellationToken) =>
        Task.FromResult(("provider.attestation-agent", KeyPacket.Wrap(privateOptions.Span, keyId, key.Span).ToBytes()));
}
