using System.Collections.Immutable;
using System.Text.Json;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.Tpm;

/// <summary>A quote with what is needed to judge it.</summary>
/// <param name="Quote">The signed statement.</param>
/// <param name="Signature">Its signature.</param>
/// <param name="Pcrs">Values of registers 0, 1, 2, … of the quoted bank, as the guest says they are.</param>
/// <param name="AttestationKey">SubjectPublicKeyInfo of the key (AK) that is said to have signed.</param>
/// <param name="EventLog">The measured-boot log; empty if there is none.</param>
/// <param name="Certificates">The AK's certificate and those above it; empty if there are none.</param>
internal sealed record TpmEvidence(
    TpmQuote Quote, TpmSignature Signature, ImmutableArray<ReadOnlyMemory<byte>> Pcrs, ReadOnlyMemory<byte> AttestationKey,
    ReadOnlyMemory<byte> EventLog, IReadOnlyList<Certificate> Certificates)
{
    /// <summary>The most registers that a bank has.</summary>
    public const int PcrLimit = 32;

    private const string Structure = "TPM evidence";

    /// <summary>Whether the key's public area says that it signs only what the TPM made; null if that is not in the evidence.</summary>
    public bool? IsAttestationKey { get; init; }

    /// <summary>
    /// Reads an attestation of Google's go-tpm-tools, or Trustee's JSON: {ak_public, tpm_quote{signature, message, pcrs[]}},
    /// base64 and hexadecimal. Kist also takes ak_certificates, PEM, leaf first, and event_log, base64. A quote alone
    /// ({signature, message, pcrs[]}, hexadecimal, as Azure's tools write it) needs its key beside it.
    /// </summary>
    public static TpmEvidence Read(Evidence evidence)
    {
        if (evidence.Json is not { } json)
            return BincodeQuote.IsLikely(evidence.Bytes.Span) ? BincodeQuote.Read(evidence) : GoTpmAttestation.Read(evidence);
        if (EvidenceJson.Optional(json, "tpm_quote", Structure) is not { } quote)
            return ReadQuoteAlone(evidence, json);
        var certificates = new List<Certificate>();
        if (EvidenceJson.Optional(json, "ak_certificates", Structure) is not null)
        {
            certificates.AddRange(PemReader.ReadCertificates(
                System.Text.Encoding.UTF8.GetBytes(EvidenceJson.RequireString(json, "ak_certificates", Structure))));
        }

        if (!evidence.Certificates.IsEmpty)
            certificates.AddRange(PemReader.ReadCertificates(evidence.Certificates));
        return new TpmEvidence(
            TpmQuoteReader.Parse(EvidenceJson.RequireBase64(quote, "message", Structure)),
            TpmSignature.Parse(EvidenceJson.RequireBase64(quote, "signature", Structure)),
            ReadPcrs(quote),
            EvidenceJson.RequireBase64(json, "ak_public", Structure),
            evidence.EventLog.IsEmpty ? EvidenceJson.OptionalBase64(json, "event_log", Structure) ?? default(ReadOnlyMemory<byte>) : evidence.EventLog,
            certificates);
    }

    private static TpmEvidence ReadQuoteAlone(Evidence evidence, JsonElement json)
    {
        return OfQuoteAlone(
            EvidenceJson.RequireHex(json, "message", Structure), EvidenceJson.RequireHex(json, "signature", Structure), ReadPcrs(json), evidence);
    }

    /// <summary>A quote whose key, or its certificate, lies beside the evidence; the key is empty if it does not.</summary>
    internal static TpmEvidence OfQuoteAlone(
        ReadOnlySpan<byte> message, byte[] signature, ImmutableArray<ReadOnlyMemory<byte>> pcrs, Evidence evidence)
    {
        var key = evidence.Certificates.Span.IndexOf("-----BEGIN PUBLIC KEY-----"u8) >= 0
            ? PemReader.ReadSingle(evidence.Certificates.Span, "PUBLIC KEY") : default;
        var certificates = key.IsEmpty && !evidence.Certificates.IsEmpty ? PemReader.ReadCertificates(evidence.Certificates) : [];
        return new TpmEvidence(
            TpmQuoteReader.Parse(message),
            // Azure's vTPM gives an RSA signature without the structure around it.
            signature.Length is 256 or 384 or 512 ? new TpmSignature(TpmAlgorithm.RsaSsa, TpmAlgorithm.Sha256, signature, default) : TpmSignature.Parse(signature),
            pcrs,
            key.IsEmpty && certificates.Count > 0 ? certificates[0].SubjectPublicKeyInfo : key,
            evidence.EventLog,
            certificates);
    }

    /// <summary>Reads a member "pcrs": an array of hexadecimal strings, or of arrays of numbers.</summary>
    public static ImmutableArray<ReadOnlyMemory<byte>> ReadPcrs(JsonElement quote)
    {
        var pcrs = EvidenceJson.Require(quote, "pcrs", Structure);
        if (pcrs.ValueKind != JsonValueKind.Array || pcrs.GetArrayLength() > PcrLimit)
            throw new MalformedDataException(Structure, -1, $"pcrs must be an array of at most {PcrLimit}");
        return [.. pcrs.EnumerateArray().Select(ReadPcr)];
    }

    private static ReadOnlyMemory<byte> ReadPcr(JsonElement value)
    {
        const int largest = 64;
        byte[] bytes;
        try
        {
            bytes = value.ValueKind == JsonValueKind.String
                ? Convert.FromHexString(value.GetString()!)
                : [.. value.EnumerateArray().Select(b => b.GetByte())];
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException)
        {
            throw new MalformedDataException(Structure, -1, "a register is neither hexadecimal nor an array of bytes", e);
        }

        return bytes.Length <= largest ? bytes : throw new MalformedDataException(Structure, -1, $"a register is {bytes.Length} bytes");
    }
}
