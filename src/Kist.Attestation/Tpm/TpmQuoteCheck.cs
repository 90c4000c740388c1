using System.Collections.Immutable;
using System.Security.Cryptography;
using Kist.Attestation.X509;

namespace Kist.Attestation.Tpm;

/// <summary>What is checked of every quote alike: of a TPM of its own, and of a vTPM inside another TEE.</summary>
internal static class TpmQuoteCheck
{
    public const string Spec = "TPM 2.0 Library part 2 section 10.12";

    /// <summary>Checks the signature with a key whose trust is somebody else's question.</summary>
    public static void Signature(TpmQuote quote, TpmSignature signature, PublicKey? key, VerdictBuilder verdict)
    {
        var holds = key is not null && signature.Verify(key, quote.Message.Span);
        verdict.Check("tpm.quote.signature", holds, "the quote must be signed with the attestation key",
            $"a signature by the attestation key ({signature.Algorithm} {signature.Hash})",
            key is null ? "the key is not RSA or EC of a supported size" : holds ? "verifies" : "does not verify",
            "the quote was changed, or is of another machine: ask for it again", "TPM 2.0 Library part 2 section 11.3");
    }

    /// <summary>Checks that the register values are those that the quote covers.</summary>
    /// <returns>The covered registers of the first bank; empty if they are not what was quoted.</returns>
    public static ImmutableSortedDictionary<int, ReadOnlyMemory<byte>> Pcrs(
        TpmQuote quote, TpmAlgorithm hash, ImmutableArray<ReadOnlyMemory<byte>> values, VerdictBuilder verdict)
    {
        var none = ImmutableSortedDictionary<int, ReadOnlyMemory<byte>>.Empty;
        if (quote.Selections is not [var selection] || selection.Indexes.IsEmpty || hash.Hash() is not { } name
            || selection.Bank.Hash() is null)
        {
            verdict.Fail("tpm.quote.pcrs", "the quote must cover registers of one bank of SHA-2", "one bank, at least one register",
                string.Join("; ", quote.Selections), "quote one bank of SHA-256 or better", Spec);
            return none;
        }

        if (selection.Indexes.FirstOrDefault(i => i >= values.Length || values[i].Length != selection.Bank.DigestSize(), -1) is var bad and >= 0)
        {
            verdict.Fail("tpm.quote.pcrs", "every quoted register's value must be in the evidence",
                $"{selection.Bank.DigestSize()} bytes for register {bad}", bad < values.Length ? $"{values[bad].Length} bytes" : "none",
                "send the values of all quoted registers", Spec);
            return none;
        }

        using var digest = IncrementalHash.CreateHash(name);
        foreach (var index in selection.Indexes)
            digest.AppendData(values[index].Span);
        var actual = digest.GetHashAndReset();
        return verdict.Check("tpm.quote.pcrs", CryptographicOperations.FixedTimeEquals(actual, quote.PcrDigest.Span),
            $"the register values must be those that were quoted ({selection})", Convert.ToHexStringLower(quote.PcrDigest.Span),
            Convert.ToHexStringLower(actual), "read the registers and ask for the quote again without anything extended in between", Spec)
            ? selection.Indexes.ToImmutableSortedDictionary(i => i, i => values[i])
            : none;
    }

    /// <summary>
    /// Checks the qualifying data. Guests send it as it is, or padded with zeros; Trustee's TPM attester cuts it to 32 bytes.
    /// </summary>
    public static void ReportData(TpmQuote quote, ExpectedBinding binding, VerdictBuilder verdict)
    {
        var field = quote.ExtraData.Span;
        var expected = binding.ReportData is { Length: > 32 } value && field.Length == 32 ? value[..32] : binding.ReportData;
        BindingCheck.ReportData(verdict, expected, field);
    }

    /// <summary>
    /// Checks that register 8 holds the init-data digest, extended once from zero:
    /// PCR8 = SHA-256(0^32 ‖ digest), the digest padded or cut to 32 bytes.
    /// </summary>
    public static void InitData(
        ImmutableSortedDictionary<int, ReadOnlyMemory<byte>> pcrs, ExpectedBinding binding, VerdictBuilder verdict)
    {
        if (binding.InitDataDigest is not { } digest)
        {
            BindingCheck.InitData(verdict, null, [], "PCR 8");
            return;
        }

        var input = new byte[64];
        digest.Span[..Math.Min(digest.Length, 32)].CopyTo(input.AsSpan(32));
        if (pcrs.TryGetValue(TpmClaims.InitDataRegister, out var register) && register.Length == SHA256.HashSizeInBytes)
        {
            BindingCheck.InitData(verdict, SHA256.HashData(input), register.Span, "PCR 8");
            return;
        }

        verdict.Fail($"{verdict.Tee}.binding.init_data", "the quote does not cover PCR 8 of the SHA-256 bank, which binds init-data",
            Convert.ToHexStringLower(SHA256.HashData(input)), "not quoted", "quote PCR 8 too", "CoCo init-data specification");
    }
}
