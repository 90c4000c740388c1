using System.Security.Cryptography;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.Tokens;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Kist.KeyBroker.Hosting;

/// <summary>
/// One connection of the RA-TLS endpoint: what its peer has proved, by tenant, and the challenge that is open. Requests of a
/// connection come one after the other (HTTP/1.1).
/// </summary>
sealed class RaTlsChannel
{
    private readonly Dictionary<string, (EarToken Token, bool IsFresh)> _tokens = new(StringComparer.Ordinal);
    private byte[]? _nonce;

    /// <summary>Marks a connection as one of this endpoint.</summary>
    public static void Open(ConnectionContext connection) => connection.Items[typeof(RaTlsChannel)] = new RaTlsChannel();

    /// <summary>The channel of a request; null if it came to the ordinary endpoint.</summary>
    public static RaTlsChannel? Of(HttpContext http) =>
        http.Features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(typeof(RaTlsChannel), out var channel) == true ? (RaTlsChannel?)channel : null;

    /// <summary>A nonce for the peer; one that was open counts no more.</summary>
    public byte[] NewNonce() => _nonce = RandomNumberGenerator.GetBytes(KbsProtocol.NonceBytes);

    /// <summary>The open nonce, which this uses up; null if there is none.</summary>
    public byte[]? TakeNonce() => Interlocked.Exchange(ref _nonce, null);

    /// <summary>What the peer has proved, if it still counts.</summary>
    /// <param name="tenant">For whom.</param>
    /// <param name="mustBeFresh">True if only the answer to a challenge counts.</param>
    /// <param name="now">The time.</param>
    public EarToken? TokenOf(string tenant, bool mustBeFresh, DateTimeOffset now) =>
        _tokens.TryGetValue(tenant, out var known) && now < known.Token.Expires && (known.IsFresh || !mustBeFresh) ? known.Token : null;

    /// <summary>Keeps what the peer has proved.</summary>
    public void Keep(string tenant, EarToken token, bool isFresh) => _tokens[tenant] = (token, isFresh);
}
