using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Kist.Attestation.Containers;
using Kist.Attestation.X509;

namespace Kist.Attestation;

/// <summary>
/// Says what a file is that people give where evidence is wanted, and where it belongs, so that nobody has to guess what
/// "not recognised" means. Decides nothing.
/// </summary>
internal static class NotEvidence
{
    private const int TdReportSize = 1024;
    private const int SgxReportSize = 432;

    // Members by which JSON documents are told apart, the more telling first.
    private static readonly (string Member, string What, string Advice)[] s_documents =
    [
        ("tcbInfo", "Intel's TCB info", "give it with --collateral"),
        ("enclaveIdentity", "an enclave identity of Intel's", "give it with --collateral"),
        ("qeIdentity", "an enclave identity of Intel's", "give it with --collateral"),
        ("tcb_info", "Intel's collateral in dcap-qvl's form", "give it with --collateral"),
        ("tcb_info_json", "Intel's TCB info", "give it with --collateral"),
        ("enclave_identity_json", "an enclave identity of Intel's", "give it with --collateral"),
        ("raw_tcb_info", "Intel's TCB info", "give it with --collateral"),
        ("raw_enclave_identity", "an enclave identity of Intel's", "give it with --collateral"),
        ("tcbEvaluationDataNumbers", "Intel's list of TCB evaluation data numbers", "kist needs no such list: TCB info carries its own number"),
        ("tcb_evaluation_data_numbers_json", "Intel's list of TCB evaluation data numbers", "kist needs no such list: TCB info carries its own number"),
        ("raw_tcb_evaluation_data_numbers", "Intel's list of TCB evaluation data numbers", "kist needs no such list: TCB info carries its own number"),
        ("crl_data", "a revocation list", "give it with --collateral"),
        ("vcekCert", "Azure's answer with a VCEK certificate (THIM)", "give it with --collateral, beside the SNP report"),
        ("kist_measurement", "a predicted measurement", "compare it with evidence: kist measure match, or kist measure diff"),
        ("kistBundle", "an evidence bundle", "kist bundle verify FILE"),
        ("keys", "a set of public keys (JWKS)", "give one with --certificates or --trust-anchor"),
        ("kty", "a public key (JWK)", "give it with --certificates, or trust it with --trust-anchor VENDOR=FILE"),
        ("kat", "a key attestation of Parsec, which this version does not judge", "send a TPM quote as JSON {ak_public, tpm_quote}"),
        ("claims", "a reference set", "kist reference add FILE, or compare with --reference CLAIM=VALUE"),
    ];

    /// <summary>What it is and what to do with it, for the reason of an error; null if it is nothing that is known.</summary>
    public static string? Describe(ReadOnlyMemory<byte> file)
    {
        var data = OpenEnclaveFraming.WithoutComments(file);
        for (var layer = 0; layer <= 2 && !data.IsEmpty; layer++)
        {
            if ((Bytes(data) ?? Text(data.Span)) is { } known)
                return known;
            if (TextEncoding.TryDecode(data.Span).Data is not { } inner)
                return null;
            data = inner;
        }

        return null;
    }

    private static string? Text(ReadOnlySpan<byte> data)
    {
        static bool Contains(ReadOnlySpan<byte> span, ReadOnlySpan<byte> part) => span.IndexOf(part) >= 0;
        if (!Ascii.IsValid(data[..Math.Min(data.Length, 64)]))
            return null;
        if (TextEncoding.FirstCharacter(data) is '{' or '[')
            return Json(data.ToArray());
        if (Contains(data, "-----BEGIN CERTIFICATE-----"u8))
            return "this is a certificate without evidence in it; give it with --certificates or --collateral, or trust it with --trust-anchor";
        if (Contains(data, "-----BEGIN X509 CRL-----"u8))
            return "this is a revocation list, not evidence; give it with --collateral";
        if (Contains(data, "-----BEGIN PUBLIC KEY-----"u8))
            return "this is a public key, not evidence; give it with --certificates, or trust it with --trust-anchor VENDOR=FILE";
        if (Contains(data[..Math.Min(data.Length, 2048)], "SoftwareIdentity"u8))
            return "this is a reference integrity manifest (SWID tag), not evidence; give it with --collateral beside the GPU's report";
        return null;
    }

    private static string? Json(ReadOnlyMemory<byte> data)
    {
        try
        {
            using var document = JsonDocument.Parse(data);
            var root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Array)
                return root.GetArrayLength() > 0 && root[0].ValueKind == JsonValueKind.Array && root[0].GetArrayLength() == 2 && root[0][0].ValueKind == JsonValueKind.String && root[0][0].ValueEquals("JWT")
                    ? "this is the result of NVIDIA's attestation service (a detached EAT), not a device's evidence; get the device's report"
                    : null;
            foreach (var (member, what, advice) in s_documents)
            {
                if (root.TryGetProperty(member, out _))
                    return $"this is {what}, not evidence that is judged here; {advice}";
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Not a document that can be told.
        }

        return null;
    }

    private static string? Bytes(ReadOnlyMemory<byte> data)
    {
        var span = data.Span;
        if (IsEventLog(span))
            return "this is an event log, not evidence; give it with --event-log beside the quote";
        if (OpenEnclaveFraming.ElementsOf(data).Count > 0)
            return "these are Open Enclave's endorsements, not evidence; give them with --collateral";
        if (span.Length == TdReportSize && span[0] == 0x81)
            return "this is a TDREPORT: only the machine that made it can check its MAC; have it turned into a quote";
        if (span.Length == SgxReportSize)
            return "this may be an SGX REPORT: only an enclave on its machine can check its MAC; have it turned into a quote";
        if (span.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x54, 0x43, 0x47]))
            return "this is a TPM's statement without signature, key and registers; send all of them, as JSON {ak_public, tpm_quote}";
        if (span.StartsWith((ReadOnlySpan<byte>)[0xD9, 0x01, 0xF4]) || span.StartsWith((ReadOnlySpan<byte>)[0xD9, 0x01, 0xF5]) || span.StartsWith((ReadOnlySpan<byte>)[0xD9, 0x01, 0xF6]))
            return "this is a CoRIM manifest, not evidence; register it: kist reference add FILE";
        if (span.Length >= 2 && span[0] == 0xD2 && span.IndexOf("application/rim+cbor"u8) is >= 0 and < 128)
            return "this is a signed CoRIM manifest, not evidence; register it: kist reference add FILE";
        if (IsComid(data))
            return "this is a CoMID by itself, not evidence; only a CoRIM manifest around it can be signed and registered";
        if (span is [0xD2, 0x84, ..] && span.IndexOf("ContainerPlat-AMD-UVM"u8) >= 0)
            return "these are Azure's endorsements of a utility VM (COSE_Sign1), not evidence; compare the launch measurement that they name with --reference measurement=…";
        if (span.Length >= 4 && span[0] == 0xD1 && span[1] == 0x84)
            return "this is a COSE_Mac0, which only who holds its secret key can check; ask for a token with a signature (COSE_Sign1)";
        if (span.Length == Sev.SevCertificate.Size || (span.Length >= 64 && IsAmdAuthority(span)))
            return "this may be a single SEV certificate; give the whole chain as one file: PDH, PEK, OCA, CEK";
        if (span[0] == DerTag.Sequence && IsDer(data) is { } kind)
            return $"this is {kind} without evidence in it; give it with --certificates or --collateral";
        return null;
    }

    /// <summary>True if this begins like an event log: of several banks, or of SHA-1 alone.</summary>
    public static bool IsEventLog(ReadOnlySpan<byte> data)
    {
        if (data.Length > 48 && data.Slice(32, 15).SequenceEqual("Spec ID Event03"u8))
            return true;
        // An old log begins with EV_S_CRTM_VERSION or EV_NO_ACTION ("Spec ID Event00", "StartupLocality") in register 0.
        return data.Length > 64 && BinaryPrimitives.ReadUInt32LittleEndian(data) == 0
            && BinaryPrimitives.ReadUInt32LittleEndian(data[4..]) is 3 or 8 or 1
            && BinaryPrimitives.ReadUInt32LittleEndian(data[28..]) is > 0 and < 1024
            && (data[8..28].ContainsAnyExcept((byte)0) || data.Slice(32, 8).SequenceEqual("Spec ID "u8));
    }

    private static bool IsAmdAuthority(ReadOnlySpan<byte> data) =>
        BinaryPrimitives.ReadUInt32LittleEndian(data) == 1 && BinaryPrimitives.ReadUInt32LittleEndian(data[36..]) is 0 or 0x13;

    private static bool IsComid(ReadOnlyMemory<byte> data)
    {
        if (data.Span is not [0xA2 or 0xA3 or 0xA4, ..])
            return false;
        try
        {
            return !Corim.Comid.Parse(data).ReferenceValues.IsEmpty;
        }
        catch (Formats.MalformedDataException)
        {
            return false;
        }
    }

    private static string? IsDer(ReadOnlyMemory<byte> data)
    {
        try
        {
            Certificate.Parse(data);
            return "a certificate";
        }
        catch (Formats.MalformedDataException)
        {
            try
            {
                CertificateRevocationList.Parse(data);
                return "a revocation list";
            }
            catch (Formats.MalformedDataException)
            {
                return null;
            }
        }
    }
}
