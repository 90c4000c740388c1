using Kist.Formats;

namespace Kist.Agent.GuestServices;

/// <summary>Where secrets and tokens come from: the key broker.</summary>
interface ISecretSource
{
    /// <summary>A secret, which the caller disposes.</summary>
    /// <param name="uri">kbs:///repository/type/tag.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<SecretBytes> GetResourceAsync(string uri, CancellationToken cancellationToken);

    /// <summary>Attests anew, with a key that the agent does not use itself.</summary>
    /// <returns>The token, and the key to which it is bound (PKCS #8, PEM).</returns>
    Task<(string Token, string KeyPem)> GetFreshTokenAsync(CancellationToken cancellationToken);
}
