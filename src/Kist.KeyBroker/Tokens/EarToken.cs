using System.Text.Json;
using Kist.Formats;
using Kist.Formats.Jose;
using Kist.KeyBroker.Attesting;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Telemetry;

namespace Kist.KeyBroker.Tokens;

/// <summary>A token that this broker signed and has verified.</summary>
/// <param name="Id">Its "jti".</param>
/// <param name="Claims">The whole payload: input of resource policies.</param>
/// <param name="TeePublicKey">The key to which secrets are encrypted.</param>
/// <param name="Expires">When it ends.</param>
sealed record EarToken(string Id, JsonElement Claims, JsonWebKey TeePublicKey, DateTimeOffset Expires)
{
    /// <summary>The thumbprint of the guest's key: how the audit log names the workload.</summary>
    public string Workload { get; } = TeePublicKey.Thumbprint();
}

/// <summary>
/// Issues and verifies attestation results: EAT attestation results (draft-ietf-rats-ear) as JWTs signed with ES256, in
/// the shape that Trustee gives them.
/// </summary>
sealed class EarTokens(SigningKey key, string issuer, TimeSpan lifetime, bool verbose)
{
    private const string Profile = "tag:github.com,2024:confidential-containers/Trustee";

    // Parts of the claims that policies of the attestation read and the token does without: they are large.
    private static readonly string[] VerboseClaims = ["uefi_event_logs"];

    private static readonly string Build = $"kist {typeof(EarTokens).Assembly.GetName().Version?.ToString(3)}";

    public string Issue(IReadOnlyList<AttestedPart> parts, DateTimeOffset now, out string id)
    {
        using var span = BrokerTracing.Start("issue token");
        id = Guid.NewGuid().ToString("N");
        return key.Sign(Claims(parts, now, id), WriteHeader);
    }

    /// <summary>What the token of these parts says, in JSON.</summary>
    public byte[] Claims(IReadOnlyList<AttestedPart> parts, DateTimeOffset now, string id) => JsonBytes.Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("eat_profile"u8, Profile);
        writer.WriteNumber("iat"u8, now.ToUnixTimeSeconds());
        writer.WriteNumber("nbf"u8, now.ToUnixTimeSeconds());
        writer.WriteNumber("exp"u8, (now + lifetime).ToUnixTimeSeconds());
        writer.WriteString("iss"u8, issuer);
        writer.WriteString("jti"u8, id);
        writer.WriteStartObject("ear.verifier-id"u8);
        writer.WriteString("developer"u8, "Kist"u8);
        writer.WriteString("build"u8, Build);
        writer.WriteEndObject();
        writer.WriteStartObject("submods"u8);
        foreach (var part in parts)
            WritePart(writer, part);
        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    /// <summary>Verifies a token.</summary>
    /// <exception cref="BrokerRefusal">It is not one of this broker's, or has expired.</exception>
    public EarToken Verify(string text, DateTimeOffset now)
    {
        try
        {
            var token = JwsToken.Parse(text);
            // The header's own key decides nothing: only our key verifies.
            if (token.Algorithm != "ES256" || !key.Verify(token))
                throw new BrokerRefusal(BrokerError.TokenInvalid, "its signature is not of this broker's key");
            using var document = StrictJson.ParseObject(token.Payload.Span, JwsToken.MaxTextLength, "token", maxDepth: 128);
            var claims = document.RootElement.Clone();
            if (Text(claims, "iss") != issuer || Text(claims, "eat_profile") != Profile)
                throw new BrokerRefusal(BrokerError.TokenInvalid, "issuer or profile are others");
            var (notBefore, expires) = (Time(claims, "nbf"), Time(claims, "exp"));
            if (now < notBefore)
                throw new BrokerRefusal(BrokerError.TokenInvalid, $"it is valid from {notBefore:O} only");
            if (now >= expires)
                throw new BrokerRefusal(BrokerError.TokenExpired, $"it expired at {expires:O}");
            var id = Text(claims, "jti") ?? throw new BrokerRefusal(BrokerError.TokenInvalid, "it has no \"jti\"");
            var teeKey = claims.GetProperty("submods").GetProperty("cpu0").GetProperty("ear.veraison.annotated-evidence")
                .GetProperty("runtime_data_claims").GetProperty("tee-pubkey");
            return new EarToken(id, claims, JsonWebKey.Parse(teeKey), expires);
        }
        catch (Exception e) when (e is MalformedDataException or KeyNotFoundException or InvalidOperationException)
        {
            throw new BrokerRefusal(BrokerError.TokenInvalid, e.Message, e);
        }
    }

    private void WriteHeader(Utf8JsonWriter writer)
    {
        writer.WriteString("typ"u8, "JWT"u8);
        writer.WriteStartObject("jwk"u8);
        writer.WriteString("alg"u8, "ES256"u8);
        writer.WriteString("crv"u8, key.PublicKey.Curve);
        writer.WriteString("kty"u8, "EC"u8);
        writer.WriteString("x"u8, Base64Url.Encode(key.PublicKey.X.Span));
        writer.WriteString("y"u8, Base64Url.Encode(key.PublicKey.Y.Span));
        writer.WriteStartArray("x5c"u8);
        writer.WriteBase64StringValue(key.Certificate);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private void WritePart(Utf8JsonWriter writer, AttestedPart part)
    {
        writer.WriteStartObject(part.Name);
        writer.WriteString("ear.status"u8, TrustVector.NameOf(part.Trust.Status));
        writer.WriteStartObject("ear.trustworthiness-vector"u8);
        foreach (var (name, value) in part.Trust.Claims)
            writer.WriteNumber(name, value);
        writer.WriteEndObject();
        writer.WriteString("ear.appraisal-policy-id"u8, "default"u8);
        writer.WritePropertyName("ear.veraison.annotated-evidence"u8);
        WriteEvidence(writer, part);
        WriteExtensions(writer, part.Extensions);
        writer.WriteEndObject();
    }

    private void WriteEvidence(Utf8JsonWriter writer, AttestedPart part)
    {
        writer.WriteStartObject();
        foreach (var member in part.AnnotatedEvidence.EnumerateObject())
        {
            if (verbose || member.Name != part.Verdict.Tee || member.Value.ValueKind != JsonValueKind.Object)
            {
                member.WriteTo(writer);
                continue;
            }

            writer.WriteStartObject(member.Name);
            foreach (var claim in member.Value.EnumerateObject().Where(c => !VerboseClaims.Contains(c.Name)))
                claim.WriteTo(writer);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    // The rule data.policy.extensions: an array of {name, key, value}; only the JSON form's name matters here.
    private static void WriteExtensions(Utf8JsonWriter writer, JsonElement? extensions)
    {
        if (extensions is not { ValueKind: JsonValueKind.Array } list)
            return;
        foreach (var extension in list.EnumerateArray())
        {
            if (extension.ValueKind == JsonValueKind.Object
                && extension.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String
                && extension.TryGetProperty("value", out var value)
                && name.GetString() is { } text && text.StartsWith("ear.", StringComparison.Ordinal) && !Reserved.Contains(text))
            {
                writer.WritePropertyName(text);
                value.WriteTo(writer);
            }
        }
    }

    private static readonly string[] Reserved =
        ["ear.status", "ear.trustworthiness-vector", "ear.appraisal-policy-id", "ear.veraison.annotated-evidence"];

    private static string? Text(JsonElement claims, string name) => StrictJson.OptionalText(claims, name, "token");

    private static DateTimeOffset Time(JsonElement claims, string name) =>
        claims.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var seconds) && seconds is >= 0 and < 253402300800
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : throw new BrokerRefusal(BrokerError.TokenInvalid, $"it has no \"{name}\"");
}
