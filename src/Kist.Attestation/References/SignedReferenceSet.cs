using System.Security.Cryptography;
using System.Text;
using Kist.Formats;
using Kist.Formats.Jose;

namespace Kist.Attestation.References;

/// <summary>
/// A reference set in the key broker's own form, signed: a compact JWS (RFC 7515) whose payload is the set's JSON,
/// <code>{ "alg": "ES384", "cty": "application/vnd.kist.reference-set+json", "kid": RFC 7638 thumbprint of the signer }</code>
/// The content type keeps a signature over anything else from being taken for one over reference values.
/// </summary>
public sealed class SignedReferenceSet
{
    /// <summary>The payload's media type, in the protected header.</summary>
    public const string ContentType = "application/vnd.kist.reference-set+json";

    private const string Structure = "signed reference set";

    private readonly JwsToken _token;

    private SignedReferenceSet(JwsToken token) => _token = token;

    /// <summary>The set's JSON. Trust it only after <see cref="IsSignedBy"/>.</summary>
    public ReadOnlyMemory<byte> Payload => _token.Payload;

    /// <summary>RFC 7638 thumbprint of the key that is said to have signed; null if absent.</summary>
    public string? KeyId => _token.KeyId;

    /// <summary>Signs a set.</summary>
    /// <param name="referenceSet">The set's JSON, signed as it is.</param>
    /// <param name="key">The signer's private key: P-256, P-384 or P-521.</param>
    public static string Sign(ReadOnlySpan<byte> referenceSet, ECDsa key) => JwsToken.Sign(key, referenceSet, header =>
    {
        header.WriteString("cty", ContentType);
        header.WriteString("kid", EcJsonWebKey.FromPublicKey(key, null).Thumbprint());
    });

    /// <summary>True if a file looks like such a document, good or not. Never throws.</summary>
    public static bool Recognises(ReadOnlySpan<byte> file)
    {
        try
        {
            // A header that is an object and nothing else begins with these characters in base64url.
            return file.StartsWith("eyJ"u8) && file.Length <= JwsToken.MaxTextLength && Ascii.IsValid(file) && Parse(Encoding.ASCII.GetString(file)) is not null;
        }
        catch (MalformedDataException)
        {
            return false;
        }
    }

    /// <summary>Reads a document; white space around it is allowed. Nothing is verified.</summary>
    /// <exception cref="MalformedDataException">It is no compact JWS with this content type.</exception>
    public static SignedReferenceSet Parse(string text)
    {
        var token = JwsToken.Parse(text.Trim());
        return StrictJson.OptionalText(token.Header, "cty", Structure) == ContentType
            ? new SignedReferenceSet(token)
            : throw new MalformedDataException(Structure, -1, $"its content type (cty) is not {ContentType}");
    }

    /// <summary>True if the key, as SubjectPublicKeyInfo, signed this set.</summary>
    /// <exception cref="MalformedDataException">The key is no EC key on P-256, P-384 or P-521.</exception>
    public bool IsSignedBy(ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        using var key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out var read);
            if (read != subjectPublicKeyInfo.Length || key.KeySize is not (256 or 384 or 521))
                throw new MalformedDataException(Structure, -1, "the signer's key is no EC key on P-256, P-384 or P-521");
        }
        catch (CryptographicException e)
        {
            throw new MalformedDataException(Structure, -1, "the signer's key is no EC public key", e);
        }

        return _token.Verify(EcJsonWebKey.FromPublicKey(key, null));
    }
}
