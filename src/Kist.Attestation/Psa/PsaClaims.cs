using System.Text.Json;

namespace Kist.Attestation.Psa;

/// <summary>What a PSA token says, in the JSON names of RFC 9783's claims.</summary>
public sealed record PsaClaims(PsaToken Token) : TeeClaims
{
    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> ReportData => Token.Nonce;

    /// <summary>Empty: no claim binds start-up configuration.</summary>
    public override ReadOnlyMemory<byte> InitDataField => default;

    /// <inheritdoc/>
    public override void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("eat-profile", Token.Profile);
        writer.WriteString("psa-nonce", Convert.ToBase64String(Token.Nonce.Span));
        writer.WriteString("psa-instance-id", Convert.ToBase64String(Token.InstanceId.Span));
        writer.WriteString("psa-implementation-id", Convert.ToBase64String(Token.ImplementationId.Span));
        writer.WriteNumber("psa-client-id", Token.ClientId);
        writer.WriteNumber("psa-security-lifecycle", Token.Lifecycle);
        if (!Token.BootSeed.IsEmpty)
            writer.WriteString("psa-boot-seed", Convert.ToBase64String(Token.BootSeed.Span));
        if (Token.CertificationReference is not null)
            writer.WriteString("psa-certification-reference", Token.CertificationReference);
        if (Token.VerificationService is not null)
            writer.WriteString("psa-verification-service-indicator", Token.VerificationService);
        writer.WriteStartArray("psa-software-components");
        foreach (var component in Token.Components)
            component.WriteTo(writer);
        writer.WriteEndArray();
        writer.WriteString("report_data", Convert.ToHexStringLower(Token.Nonce.Span));
        writer.WriteEndObject();
    }
}
