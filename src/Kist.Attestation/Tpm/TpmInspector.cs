using System.Collections.Immutable;

namespace Kist.Attestation.Tpm;

/// <summary>Lists every field of a quote; offsets are into the TPMS_ATTEST message.</summary>
internal static class TpmInspector
{
    public static IEnumerable<EvidenceField> Fields(
        TpmQuote quote, TpmSignature? signature, ImmutableArray<ReadOnlyMemory<byte>> pcrs)
    {
        var offset = 6;
        yield return new("quote.magic", 0, 4, "ff544347", "TPM_GENERATED_VALUE: made inside the TPM");
        yield return new("quote.type", 4, 2, "8018", "TPM_ST_ATTEST_QUOTE");
        yield return Bytes("quote.qualified_signer", offset + 2, quote.QualifiedSigner, "name of the signing key");
        offset += 2 + quote.QualifiedSigner.Length;
        yield return Bytes("quote.extra_data", offset + 2, quote.ExtraData, "freshness value");
        offset += 2 + quote.ExtraData.Length;
        yield return new("quote.clock", offset, 8, $"{quote.Clock}", "milliseconds of power");
        yield return new("quote.reset_count", offset + 8, 4, $"{quote.ResetCount}");
        yield return new("quote.restart_count", offset + 12, 4, $"{quote.RestartCount}");
        yield return new("quote.safe", offset + 16, 1, quote.IsClockSafe ? "yes" : "no", "no greater clock was reported before");
        yield return new("quote.firmware_version", offset + 17, 8, $"{quote.FirmwareVersion:x16}");
        yield return new("quote.pcr_select", offset + 25, quote.Message.Length - offset - 27 - quote.PcrDigest.Length, string.Join("; ", quote.Selections));
        yield return Bytes("quote.pcr_digest", quote.Message.Length - quote.PcrDigest.Length, quote.PcrDigest, "over the selected registers");
        if (signature is not null)
            yield return Bytes("signature", -1, signature.Value, $"{signature.Algorithm} with {signature.Hash}");
        for (var i = 0; i < pcrs.Length; i++)
            yield return Bytes($"pcrs.pcr{i:D2}", -1, pcrs[i], "as the guest says; covered only if selected above");
    }

    private static EvidenceField Bytes(string path, int offset, ReadOnlyMemory<byte> value, string? meaning) =>
        new(path, offset, value.Length, Convert.ToHexStringLower(value.Span), meaning);
}
