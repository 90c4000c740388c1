using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Kist.Images.Ocicrypt;

/// <summary>Wraps for X.509 certificates with RSA keys, by PKCS #7; one message for all.</summary>
/// <param name="recipients">The certificates. Neither their chains nor their dates are judged: the caller chose them.</param>
public sealed class Pkcs7KeyWrapper(IReadOnlyList<X509Certificate2> recipients) : ILayerKeyWrapper
{
    /// <inheritdoc/>
    public Task<(string Scheme, byte[] Packet)> WrapAsync(ReadOnlyMemory<byte> privateOptions, CancellationToken cancellationToken) =>
        Task.FromResult(("pkcs7", Pkcs7Message.Encrypt(privateOptions.Span, recipients)));
}

/// <summary>
/// Opens PKCS #7 messages with RSA private keys, which stay the caller's. A message names its recipients by certificate;
/// no certificate is needed here, for each key is tried, and the content's authentication says which one it was.
/// </summary>
public sealed class Pkcs7KeyUnwrapper(IReadOnlyList<RSA> keys) : ILayerKeyUnwrapper
{
    /// <inheritdoc/>
    public bool Handles(string scheme) => scheme == "pkcs7";

    /// <inheritdoc/>
    public Task<byte[]?> TryUnwrapAsync(string scheme, byte[] packet, CancellationToken cancellationToken)
    {
        var message = Pkcs7Message.Parse(packet);
        return Task.FromResult(keys.Select(message.TryDecrypt).FirstOrDefault(plain => plain is not null));
    }
}
