namespace Kist.Images.Ocicrypt;

/// <summary>Wraps a layer's secrets for one recipient, or for several of one kind.</summary>
public interface ILayerKeyWrapper
{
    /// <summary>Wraps the private options' JSON.</summary>
    /// <returns>The scheme, which ends the annotation's name, and the packet.</returns>
    Task<(string Scheme, byte[] Packet)> WrapAsync(ReadOnlyMemory<byte> privateOptions, CancellationToken cancellationToken);
}
