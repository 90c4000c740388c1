using System.Security.Cryptography;
using Kist.Formats;
using Kist.Formats.Jose;

namespace Kist.Images.Secrets;

/// <summary>
/// A sealed secret of Confidential Containers (guest-components, confidential-data-hub/docs/SEALED_SECRET.md): "sealed."
/// and a JWS by its author, ES256. Of type "vault" it points to a resource of the broker; of type "envelope" it carries the
/// secret, encrypted by a key service. It may stand in an environment variable or a file.
/// The signature says who wrote it, not where it may be used: whoever can place it can swap two secrets of one author.
/// </summary>
public sealed class SealedSecret
{
    /// <summary>How every sealed secret begins.</summary>
    public const string Prefix = "sealed.";

    private const int MaxLength = 1024 * 1024;
    private readonly JwsToken _token;

    private SealedSecret(JwsToken token, SealedSecretPayload payload)
    {
        _token = token;
        Payload = payload;
    }

    /// <summary>What it says. Meaningless until <see cref="Verify"/> has returned true.</summary>
    public SealedSecretPayload Payload { get; }

    /// <summary>Where the author's public key is, kbs:///…; null if it does not say.</summary>
    public string? KeyId => _token.KeyId;

    /// <summary>True if a text looks like a sealed secret.</summary>
    public static bool IsSealed(ReadOnlySpan<char> text) => text.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>True if bytes look like a sealed secret.</summary>
    public static bool IsSealed(ReadOnlySpan<byte> text) => text.StartsWith("sealed."u8);

    /// <summary>Reads a sealed secret.</summary>
    /// <exception cref="MalformedDataException">It is none.</exception>
    public static SealedSecret Parse(string text)
    {
        if (!IsSealed(text) || text.Length > MaxLength)
            throw new MalformedDataException("sealed secret", 0, $"it does not begin with '{Prefix}', or is longer than {MaxLength}");
        var token = JwsToken.Parse(text[Prefix.Length..]);
        if (token.Algorithm != "ES256")
            throw new MalformedDataException("sealed secret", -1, "it is not signed by ES256");
        return new SealedSecret(token, SealedSecretPayload.Parse(token.Payload.Span));
    }

    /// <summary>True if the key's owner signed it.</summary>
    public bool Verify(JsonWebKey author) => _token.Verify(author);

    /// <summary>Writes a sealed secret that points to a resource of the broker.</summary>
    /// <param name="resource">kbs:///repository/type/tag.</param>
    /// <param name="author">The author's key, P-256.</param>
    /// <param name="keyId">Where the author's public key is, kbs:///….</param>
    public static string SealVault(string resource, ECDsa author, string keyId)
    {
        if (author.KeySize != 256)
            throw new ArgumentException("the author's key is not on P-256", nameof(author));
        var payload = new SealedSecretPayload { Version = "0.1.0", Type = "vault", Name = resource, Provider = "kbs" };
        return Prefix + JwsToken.Sign(author, payload.ToBytes(), header =>
        {
            header.WriteBoolean("b64", true);
            header.WriteString("kid", keyId);
        });
    }
}
