using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Images.Signatures;

/// <summary>
/// Whom a Sigstore deployment's users trust: a trusted_root.json (protobuf-specs sigstore_trustroot.proto, version 0.1 or 0.2).
/// How it came here is the caller's: it is a file, a resource of the broker, or part of a policy, and never fetched.
/// </summary>
/// <param name="Authorities">Who issues signing certificates (Fulcio).</param>
/// <param name="Logs">Transparency logs (Rekor).</param>
/// <param name="CertificateLogs">Certificate transparency logs.</param>
/// <param name="TimestampAuthorities">Who vouches for times (RFC 3161).</param>
public sealed record SigstoreTrustRoot(
    IReadOnlyList<SigningAuthority> Authorities, IReadOnlyList<LogKey> Logs, IReadOnlyList<LogKey> CertificateLogs,
    IReadOnlyList<SigningAuthority> TimestampAuthorities)
{
    private const int MaxBytes = 4 * 1024 * 1024;
    private const string Structure = "trusted_root.json";
    private const string MediaType = "application/vnd.dev.sigstore.trustedroot";

    /// <summary>Reads a trusted root. Logs and authorities with keys of a kind that is not known here are left out.</summary>
    /// <exception cref="MalformedDataException">It is none.</exception>
    public static SigstoreTrustRoot Parse(ReadOnlySpan<byte> json)
    {
        using var document = StrictJson.ParseObject(json, MaxBytes, Structure, maxDepth: 16);
        var root = document.RootElement;
        if (!StrictJson.RequiredText(root, "mediaType", Structure).StartsWith(MediaType, StringComparison.Ordinal))
            throw Malformed("its mediaType is another");
        return new SigstoreTrustRoot(
            [.. StrictJson.OptionalList(root, "certificateAuthorities", Structure).Select(a => ReadAuthority(a, SigningAuthority.CodeSigning))], [.. StrictJson.OptionalList(root, "tlogs", Structure).Select(ReadLog).OfType<LogKey>()],
            [.. StrictJson.OptionalList(root, "ctlogs", Structure).Select(ReadLog).OfType<LogKey>()],
            [.. StrictJson.OptionalList(root, "timestampAuthorities", Structure).Select(a => ReadAuthority(a, SigningAuthority.TimeStamping))]);
    }

    private static SigningAuthority ReadAuthority(JsonElement authority, string purpose)
    {
        var (from, until) = ReadValidity(authority);
        var certificates = StrictJson.OptionalList(StrictJson.RequiredObject(authority, "certChain", Structure), "certificates", Structure).Select(c =>
        {
            try
            {
                return X509CertificateLoader.LoadCertificate(StrictJson.RequiredBase64(c, "rawBytes", Structure));
            }
            catch (CryptographicException e)
            {
                throw new MalformedDataException(Structure, -1, "an authority's certificate is damaged", e);
            }
        });
        return new SigningAuthority(certificates.ToList(), from, until, purpose);
    }

    private static LogKey? ReadLog(JsonElement log)
    {
        var key = StrictJson.RequiredObject(log, "publicKey", Structure);
        if (StrictJson.OptionalText(key, "keyDetails", Structure) is not ("PKIX_ECDSA_P256_SHA_256" or "PKIX_ED25519" or "PKIX_RSA_PKCS1V15_2048_SHA256" or "PKIX_RSA_PKCS1V15_3072_SHA256" or "PKIX_RSA_PKCS1V15_4096_SHA256"))
            return null;
        var (from, until) = ReadValidity(key);
        return new LogKey(StrictJson.RequiredBase64(key, "rawBytes", Structure), from, until);
    }

    private static (DateTimeOffset? From, DateTimeOffset? Until) ReadValidity(JsonElement owner) =>
        owner.TryGetProperty("validFor", out var validity) && validity.ValueKind == JsonValueKind.Object
            ? (ReadTime(validity, "start"), ReadTime(validity, "end"))
            : (null, null);

    private static DateTimeOffset? ReadTime(JsonElement validity, string name) => StrictJson.OptionalText(validity, name, Structure) is not { } text
        ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : throw Malformed($"'{text}' is no time");

    private static MalformedDataException Malformed(string reason) => new(Structure, -1, reason);
}
