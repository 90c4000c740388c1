using System.Security.Cryptography;
using System.Text;
using Kist.Formats;

namespace Kist.KeyBroker.Administration;

/// <summary>
/// What binds a sign-in to the browser that began it: 32 random bytes in a cookie. All that the provider is shown is derived from
/// them, so that the broker keeps nothing, and any replica can finish what another began.
/// </summary>
sealed class SignInSecret
{
    private const int Bytes = 32;

    private readonly byte[] _secret;

    private SignInSecret(byte[] secret) => _secret = secret;

    /// <summary>The secret as the cookie has it.</summary>
    public string Text => Base64Url.Encode(_secret);

    /// <summary>The "state" of the request, which comes back with the answer.</summary>
    public string State => Derive("state");

    /// <summary>The "nonce" of the request, which is in the token.</summary>
    public string Nonce => Derive("nonce");

    /// <summary>The code verifier (RFC 7636, section 4.1).</summary>
    public string Verifier => Derive("verifier");

    /// <summary>Its challenge by S256.</summary>
    public string Challenge => Base64Url.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));

    public static SignInSecret Create() => new(RandomNumberGenerator.GetBytes(Bytes));

    /// <summary>Reads a cookie; null if it is none.</summary>
    public static SignInSecret? Parse(string? text)
    {
        try
        {
            return text is not null && Base64Url.Decode(text, Bytes, "sign-in") is { Length: Bytes } secret ? new SignInSecret(secret) : null;
        }
        catch (MalformedDataException)
        {
            return null;
        }
    }

    /// <summary>True if an answer's state is this one's, in constant time.</summary>
    public bool IsState(string? state) => state is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(state), Encoding.UTF8.GetBytes(State));

    private string Derive(string purpose) => Base64Url.Encode(HMACSHA256.HashData(_secret, Encoding.ASCII.GetBytes($"kist console {purpose}")));
}
