using Kist.Attestation.Dcap;
using Kist.Attestation.EventLogs;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation;

/// <summary>Lists the fields of evidence, event logs, certificates and CRLs, without judging anything.</summary>
public static class EvidenceInspector
{
    /// <summary>What was found in a file.</summary>
    /// <param name="Kind">A TEE's name, "event log", "certificates" or "crl".</param>
    /// <param name="Layers">The encodings from the outside in.</param>
    /// <param name="Fields">The fields in their order.</param>
    public sealed record Inspection(string Kind, IReadOnlyList<string> Layers, IReadOnlyList<EvidenceField> Fields);

    /// <summary>Inspects a file of any kind that is known.</summary>
    /// <param name="file">The file as it is.</param>
    /// <param name="tee">The TEE's name where the caller knows it; null to find out.</param>
    /// <exception cref="MalformedDataException">It is nothing that is known, or does not follow its format.</exception>
    public static Inspection Inspect(ReadOnlyMemory<byte> file, string? tee = null)
    {
        if (tee is null && InspectOther(file) is { } other)
            return other;
        var detected = EvidenceDetector.Detect(file, tee);
        return new Inspection(detected.Evidence.Tee, detected.Layers, Inspect(detected.Evidence));
    }

    /// <summary>Lists the fields of evidence.</summary>
    /// <exception cref="MalformedDataException">It does not follow its format.</exception>
    public static IReadOnlyList<EvidenceField> Inspect(Evidence evidence) => TeeVerifierTable.Find(evidence.Tee) is { } verifier
        ? JsonText.Guard<IReadOnlyList<EvidenceField>>("evidence", () => [.. verifier.Inspect(evidence)])
        : throw new MalformedDataException("evidence", -1, $"the TEE {evidence.Tee} is not known");

    private static Inspection? InspectOther(ReadOnlyMemory<byte> file)
    {
        if (file.Span.IndexOf("-----BEGIN X509 CRL-----"u8) >= 0)
            return Crl(file, "PEM");
        if (file.Span.IndexOf("-----BEGIN CERTIFICATE-----"u8) is >= 0 and < 64)
            return Certificates(file, "PEM");
        if (file.Length > 0 && file.Span[0] == DerTag.Sequence)
        {
            try
            {
                return Certificates(file, "DER");
            }
            catch (MalformedDataException)
            {
                return CrlOrNothing(file);
            }
        }

        return file.Length > 48 && file.Span.Slice(32, 15).SequenceEqual("Spec ID Event03"u8)
            ? new Inspection("event log", ["bytes"], [.. EventLogFields.List(EventLog.Parse(file), "event_log")])
            : null;
    }

    private static Inspection? CrlOrNothing(ReadOnlyMemory<byte> file)
    {
        try
        {
            return Crl(file, "DER");
        }
        catch (MalformedDataException)
        {
            return null;
        }
    }

    private static Inspection Certificates(ReadOnlyMemory<byte> file, string layer) => new(
        "certificates", [layer], [.. PemReader.ReadCertificates(file).SelectMany((c, i) => CertificateFields.List(c, $"certificate_{i}"))]);

    private static Inspection Crl(ReadOnlyMemory<byte> file, string layer) =>
        new("crl", [layer], [.. CertificateFields.List(CertificateRevocationList.Parse(file), "crl")]);
}
