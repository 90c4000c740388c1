using System.Text.Json;

namespace Kist.Attestation.Cca;

/// <summary>What a CCA token says, in Trustee's names: two objects, base64 for bytes; report_data and init_data in hexadecimal.</summary>
public sealed record CcaClaims(CcaPlatformToken Platform, CcaRealmToken Realm) : TeeClaims
{
    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> ReportData => Realm.Challenge;

    /// <inheritdoc/>
    public override ReadOnlyMemory<byte> InitDataField => Realm.PersonalizationValue;

    /// <inheritdoc/>
    public override void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        WritePlatform(writer);
        WriteRealm(writer);
        writer.WriteHex("init_data", Realm.PersonalizationValue.Span);
        writer.WriteHex("report_data", Realm.Challenge.Span);
        writer.WriteEndObject();
    }

    private void WritePlatform(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("platform");
        writer.WriteString("cca-platform-profile", Platform.Profile);
        Base64(writer, "cca-platform-implementation-id", Platform.ImplementationId);
        Base64(writer, "cca-platform-instance-id", Platform.InstanceId);
        Base64(writer, "cca-platform-challenge", Platform.Challenge);
        Base64(writer, "cca-platform-config", Platform.Config);
        writer.WriteNumber("cca-platform-lifecycle", Platform.Lifecycle);
        writer.WriteStartArray("cca-platform-sw-components");
        foreach (var component in Platform.Components)
            component.WriteTo(writer);
        writer.WriteEndArray();
        if (Platform.VerificationService is not null)
            writer.WriteString("cca-platform-service-indicator", Platform.VerificationService);
        writer.WriteString("cca-platform-hash-algo-id", Platform.HashAlgorithm);
        writer.WriteEndObject();
    }

    private void WriteRealm(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("realm");
        if (Realm.Profile is not null)
            writer.WriteString("cca-realm-profile", Realm.Profile);
        Base64(writer, "cca-realm-challenge", Realm.Challenge);
        Base64(writer, "cca-realm-personalization-value", Realm.PersonalizationValue);
        Base64(writer, "cca-realm-initial-measurement", Realm.InitialMeasurement);
        writer.WriteStartArray("cca-realm-extensible-measurements");
        foreach (var measurement in Realm.ExtensibleMeasurements)
            writer.WriteBase64StringValue(measurement.Span);
        writer.WriteEndArray();
        writer.WriteString("cca-realm-hash-algo-id", Realm.HashAlgorithm);
        Base64(writer, "cca-realm-public-key", Realm.PublicKey);
        writer.WriteString("cca-realm-public-key-hash-algo-id", Realm.PublicKeyHashAlgorithm);
        writer.WriteEndObject();
    }

    private static void Base64(Utf8JsonWriter writer, string name, ReadOnlyMemory<byte> value) => writer.WriteBase64String(name, value.Span);
}
