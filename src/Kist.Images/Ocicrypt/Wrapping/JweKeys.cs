using System.Security.Cryptography;
using Kist.Formats.Jose;

namespace Kist.Images.Ocicrypt;

/// <summary>Wraps for public keys by JWE: RSA-OAEP for RSA keys, ECDH-ES+A256KW for elliptic ones; one message for all.</summary>
public sealed class JweKeyWrapper(IReadOnlyList<JsonWebKey> recipients) : ILayerKeyWrapper
{
    /// <inheritdoc/>
    public Task<(string Scheme, byte[] Packet)> WrapAsync(ReadOnlyMemory<byte> privateOptions, CancellationToken cancellationToken) =>
        Task.FromResult(("jwe", JweEncryption.EncryptGeneral(privateOptions.Span, recipients)));
}

/// <summary>Opens JWE with private keys; the keys stay the caller's.</summary>
/// <param name="keys">RSA or ECDiffieHellman keys.</param>
public sealed class JweKeyUnwrapper(IReadOnlyList<AsymmetricAlgorithm> keys) : ILayerKeyUnwrapper
{
    /// <inheritdoc/>
    public bool Handles(string scheme) => scheme == "jwe";

    /// <inheritdoc/>
    public Task<byte[]?> TryUnwrapAsync(string scheme, byte[] packet, CancellationToken cancellationToken)
    {
        var message = JweMessage.Parse(packet);
        foreach (var key in keys)
        {
            try
            {
                using var plain = key switch
                {
                    RSA rsa => message.Decrypt(rsa),
                    ECDiffieHellman ec => message.Decrypt(ec),
                    _ => throw new ArgumentException($"a {key.GetType().Name} opens no JWE"),
                };
                return Task.FromResult<byte[]?>(plain.Span.ToArray());
            }
            catch (CryptographicException)
            {
                // For another key.
            }
        }

        return Task.FromResult<byte[]?>(null);
    }
}
