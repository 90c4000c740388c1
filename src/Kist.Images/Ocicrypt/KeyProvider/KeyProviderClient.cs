namespace Kist.Images.Ocicrypt;

/// <summary>A way to a key provider: sends a request's JSON and returns the answer's.</summary>
public interface IKeyProviderTransport
{
    /// <summary>Sends one request.</summary>
    Task<byte[]> CallAsync(bool isWrap, ReadOnlyMemory<byte> json, CancellationToken cancellationToken);
}

/// <summary>Wraps and unwraps by somebody else's key provider, whatever its packets look like.</summary>
/// <param name="name">The provider's name: the annotation is …enc.keys.provider.NAME.</param>
/// <param name="transport">The way to it.</param>
/// <param name="parameters">What to tell it, such as "keyid=…".</param>
public sealed class KeyProviderClient(string name, IKeyProviderTransport transport, params IReadOnlyList<string> parameters) : ILayerKeyWrapper, ILayerKeyUnwrapper
{
    /// <inheritdoc/>
    public bool Handles(string scheme) => scheme == "provider." + name;

    /// <inheritdoc/>
    public async Task<(string Scheme, byte[] Packet)> WrapAsync(ReadOnlyMemory<byte> privateOptions, CancellationToken cancellationToken)
    {
        var request = KeyProviderMessage.WriteRequest(isWrap: true, privateOptions.Span, name, parameters);
        var answer = await transport.CallAsync(isWrap: true, request, cancellationToken).ConfigureAwait(false);
        return ("provider." + name, KeyProviderMessage.ParseAnswer(isWrap: true, answer));
    }

    /// <inheritdoc/>
    public async Task<byte[]?> TryUnwrapAsync(string scheme, byte[] packet, CancellationToken cancellationToken)
    {
        var request = KeyProviderMessage.WriteRequest(isWrap: false, packet, name, parameters);
        var answer = await transport.CallAsync(isWrap: false, request, cancellationToken).ConfigureAwait(false);
        return KeyProviderMessage.ParseAnswer(isWrap: false, answer);
    }
}
