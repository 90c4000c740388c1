using System.Text.Json;
using Kist.Attestation.Containers;
using Kist.Attestation.Corim;
using Kist.Attestation.Dcap;
using Kist.Attestation.EventLogs;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation;

/// <summary>Lists the fields of evidence, event logs, certificates and CRLs, without judging anything.</summary>
public static class EvidenceInspector
{
    /// <summary>What was found in a file.</summary>
    /// <param name="Kind">A TEE's name, "event log", "certificates", "crl", "CoRIM", "Open Enclave endorsements" or "statement" (JSON).</param>
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
        DetectedEvidence detected;
        try
        {
            detected = EvidenceDetector.Detect(file, tee);
        }
        catch (MalformedDataException) when (tee is null && InspectStatement(file) is not null)
        {
            return InspectStatement(file)!;
        }

        return new Inspection(detected.Evidence.Tee, detected.Layers, Inspect(detected.Evidence));
    }

    /// <summary>Lists the fields of evidence.</summary>
    /// <exception cref="MalformedDataException">It does not follow its format.</exception>
    public static IReadOnlyList<EvidenceField> Inspect(Evidence evidence) => TeeVerifierTable.Find(evidence.Tee) is { } verifier
        ? StrictJson.Guard<IReadOnlyList<EvidenceField>>("evidence", () => [.. verifier.Inspect(evidence)])
        : throw new MalformedDataException("evidence", -1, $"the TEE {evidence.Tee} is not known");

    // What is no evidence, and is recognised only after that is sure.
    private static Inspection? InspectStatement(ReadOnlyMemory<byte> file)
    {
        var data = OpenEnclaveFraming.WithoutComments(file);
        if (OpenEnclaveFraming.ElementsOf(data) is { Count: > 0 } elements)
            return new("Open Enclave endorsements", ["bytes"], [.. elements.Select((e, i) => Element(e, i))]);
        if (TextEncoding.FirstCharacter(data.Span) is not ('{' or '[') || NotEvidence.Describe(file) is null)
            return null;
        return StrictJson.Guard("document", () =>
        {
            using var document = JsonDocument.Parse(data);
            return new Inspection("statement", ["JSON"], JsonFields.List(document.RootElement));
        });
    }

    private static EvidenceField Element(ReadOnlyMemory<byte> element, int index)
    {
        var text = element.Span.TrimEnd((byte)0);
        return text.Length > 0 && !text.ContainsAnyExceptInRange((byte)0x09, (byte)0x7e)
            ? new($"element_{index}", -1, element.Length, System.Text.Encoding.ASCII.GetString(text).ReplaceLineEndings(" "))
            : new($"element_{index}", -1, element.Length, Convert.ToHexStringLower(text));
    }

    private static Inspection? InspectOther(ReadOnlyMemory<byte> file)
    {
        if (TextEncoding.FirstCharacter(file.Span) is '{' or '[')
            return null;
        if (file.Span is [0xD9, 0x01, 0xF4 or 0xF5 or 0xF6, ..] || (file.Span is [0xD2, ..] && file.Span.IndexOf("application/rim+cbor"u8) is >= 0 and < 128))
            return new("CoRIM", ["bytes"], [.. CorimFields.List(CorimDocument.Parse(file))]);
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

        return NotEvidence.IsEventLog(file.Span)
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
