using Kist.Formats;

namespace Kist.Attestation.Corim;

/// <summary>
/// What the profiles in use ask of a manifest beyond its format: a manifest that its profile does not allow must not become
/// reference values, since nobody would compare them as their author meant.
/// </summary>
public static class CorimProfiles
{
    /// <summary>Checks a manifest by its profile; one without a profile, or of a profile that is not known, has no rules.</summary>
    /// <returns>True if the profile is known.</returns>
    /// <exception cref="MalformedDataException">The manifest breaks a rule of its profile.</exception>
    public static bool Check(CorimDocument document)
    {
        Action<CorimTriple>? values;
        Action<CorimKeyTriple>? keys;
        (values, keys) = document.Profile switch
        {
            "tag:arm.com,2025:cca_platform#1.0.0" => (CcaPlatform, CcaPlatformKey),
            "tag:arm.com,2025:cca_realm#1.0.0" => (CcaRealm, (Action<CorimKeyTriple>)NoKeys),
            "tag:arm.com,2025:psa#1.0.0" => (Psa, PsaKey),
            "https://enacttrust.com/veraison/1.0.0" => (EnactTrust, EnactTrustKey),
            "tag:github.com/parallaxsecond,2023-03-03:tpm" => (Parsec, ParsecKey),
            "tag:amd.com,2024:snp-corim-profile" => (SevSnp, SevSnpKey),
            _ => ((Action<CorimTriple>?)null, (Action<CorimKeyTriple>?)null),
        };
        if (values is null || keys is null)
            return false;
        foreach (var comid in document.Comids)
        {
            foreach (var triple in comid.ReferenceValues)
                values(triple);
            foreach (var triple in comid.AttestKeys)
                keys(triple);
        }

        return true;
    }

    private static void CcaPlatform(CorimTriple triple)
    {
        ImplementationId(triple.Environment);
        foreach (var measurement in triple.Measurements)
        {
            Require(measurement.IsKeyText && measurement.KeyText is "cca.software-component" or "cca.platform-config",
                "a measurement's key is neither cca.software-component nor cca.platform-config");
            if (measurement.KeyText == "cca.platform-config")
                Require(measurement.RawValue is not null, "cca.platform-config has no raw value");
            else
                SoftwareComponent(measurement);
        }
    }

    private static void CcaPlatformKey(CorimKeyTriple triple)
    {
        ImplementationId(triple.Environment);
        Require(triple.Environment.Instance is { Tag: CorimIdentifier.Ueid }, "the platform key's instance is not a UEID");
        OnePublicKey(triple);
    }

    private static void CcaRealm(CorimTriple triple)
    {
        Require(triple.Environment.ClassId is { Tag: CorimIdentifier.Bytes, Value.Length: 32 or 48 or 64 }, "the realm's class id is not its initial measurement");
        Require(triple.Measurements.Any(m => m.KeyText == "cca.rim"), "cca.rim is missing");
        foreach (var measurement in triple.Measurements)
        {
            if (measurement.KeyText == "cca.rpv")
                Require(measurement.RawValue is not null, "cca.rpv has no raw value");
            else
                Require(measurement.KeyText is "cca.rim" or "cca.rem0" or "cca.rem1" or "cca.rem2" or "cca.rem3" && !measurement.Digests.IsEmpty,
                    $"{measurement.KeyText} is not known, or has no digest");
        }
    }

    private static void NoKeys(CorimKeyTriple triple) => Require(false, "realms have no keys of their own");

    private static void Psa(CorimTriple triple)
    {
        ImplementationId(triple.Environment);
        Require(triple.Environment.Instance is null, "reference values are of a kind of device, not of an instance");
        foreach (var measurement in triple.Measurements)
            SoftwareComponent(measurement);
    }

    private static void PsaKey(CorimKeyTriple triple)
    {
        ImplementationId(triple.Environment);
        Require(triple.Environment.Instance is { Tag: CorimIdentifier.Ueid }, "the key's instance is not a UEID");
        OnePublicKey(triple);
    }

    private static void EnactTrust(CorimTriple triple)
    {
        Require(triple.Environment.Instance is { Tag: CorimIdentifier.Uuid }, "the instance is not a UUID");
        Require(triple.Measurements is [{ Digests.Length: 1 }], "there is not exactly one measurement with one digest");
    }

    private static void EnactTrustKey(CorimKeyTriple triple)
    {
        Require(triple.Environment.Instance is { Tag: CorimIdentifier.Uuid }, "the instance is not a UUID");
        OnePublicKey(triple);
    }

    private static void Parsec(CorimTriple triple)
    {
        Require(triple.Environment.ClassId is { Tag: CorimIdentifier.Uuid }, "the class id is not a UUID");
        foreach (var measurement in triple.Measurements)
        {
            Require(measurement.IsKeyNumber, "a measurement's key is not the number of a PCR");
            Require(!measurement.Digests.IsEmpty, $"PCR {measurement.KeyText} has no digest");
        }
    }

    private static void ParsecKey(CorimKeyTriple triple)
    {
        Require(triple.Environment.ClassId is { Tag: CorimIdentifier.Uuid }, "the class id is not a UUID");
        Require(triple.Environment.Instance is not null, "the instance is missing");
        OnePublicKey(triple);
    }

    private static void SevSnp(CorimTriple triple)
    {
        foreach (var measurement in triple.Measurements)
            Require(measurement.IsKeyNumber, "a measurement's key is not a number");
    }

    private static void SevSnpKey(CorimKeyTriple triple) => Require(triple.Environment.Vendor is { Length: > 0 }, "the root key's vendor is missing");

    private static void ImplementationId(CorimEnvironment environment) =>
        Require(environment.ClassId is { Tag: CorimIdentifier.Bytes or 600, Value.Length: 32 }, "the class id is not an implementation id of 32 bytes");

    private static void SoftwareComponent(CorimMeasurement measurement)
    {
        Require(!measurement.Digests.IsEmpty, "a software component has no digest");
        Require(measurement.Keys.All(k => k.Tag == CorimIdentifier.Bytes), "a software component's signer id is not bytes");
    }

    private static void OnePublicKey(CorimKeyTriple triple)
    {
        const int pemPublicKey = 554;
        Require(triple.Keys is [{ Tag: pemPublicKey }], "there is not exactly one PEM public key");
    }

    private static void Require(bool holds, string reason)
    {
        if (!holds)
            throw new MalformedDataException("CoRIM profile", -1, reason);
    }
}
