using System.Security.Cryptography;

namespace Kist.Attestation.Sev;

/// <summary>
/// Judges a SEV or SEV-ES platform's chain: ARK signs ASK signs CEK; CEK and OCA sign PEK; PEK signs PDH. A good chain says
/// that a session sealed to the PDH reaches genuine AMD firmware; what the guest is, only the launch measurement says.
/// </summary>
internal static class SevVerifier
{
    public const string Spec = "AMD 55766 (SEV API) section 4.2 and appendix C";

    public static void Verify(SevChain chain, ExpectedBinding binding, VerificationOptions options, VerdictBuilder verdict)
    {
        verdict.Claims = new SevClaims
        {
            Firmware = new Version(chain.Pdh.ApiMajor, chain.Pdh.ApiMinor),
            PdhDigest = Digest(chain.Pdh.Key),
            CekDigest = Digest(chain.Cek.Key),
            OcaDigest = Digest(chain.Oca.Key),
        };
        CheckAuthorities(chain, options, verdict);
        CheckPlatform(chain, verdict);
        CheckChip(chain, options, verdict);
        verdict.NotChecked("sev.launch", "the launch measurement is keyed to the guest's owner, and is checked during the launch (SevLaunchMeasure)",
            "compare the firmware's launch measurement before sending the guest its secret", "AMD 55766 section 6.5");
        if (binding.ReportData is not null || binding.InitDataDigest is not null)
        {
            verdict.Fail("sev.binding", "a SEV certificate chain binds no request and no init-data", "nothing to bind", "a value was given",
                "use SEV-SNP, whose reports bind a request", Spec);
        }
    }

    private static void CheckAuthorities(SevChain chain, VerificationOptions options, VerdictBuilder verdict)
    {
        if (chain is not { Ask: { } ask, Ark: { } ark })
        {
            verdict.Fail("sev.chain.anchor", "the chain brings no certificates of AMD's", "ASK and ARK", "none",
                "fetch ASK and ARK of the product from AMD, and give them beside the chain", Spec);
            return;
        }

        Link(verdict, "sev.chain.ark", ark.Usage == SevKeyUsage.Ark && ark.IsSignedBy(ark), "AMD's root must sign itself");
        Link(verdict, "sev.chain.ask", ask.Usage == SevKeyUsage.Ask && ask.IsSignedBy(ark), "AMD's root must sign AMD's SEV key");
        Link(verdict, "sev.chain.cek", chain.Cek.Usage == SevKeyUsage.Cek && chain.Cek.IsSignedBy(SevKeyUsage.Ask, ask.Key), "AMD's SEV key must sign the chip's key");
        var hash = Digest(ark.Key);
        var anchor = hash.Length == 0 ? null : options.Anchors.Find("amd", hash);
        verdict.IsSimulated |= anchor is { IsSimulated: true };
        verdict.Check("sev.chain.anchor", anchor is not null, "the chain must end at a root key that is pinned for AMD",
            string.Join(", ", options.Anchors.Anchors.Where(a => a.Vendor == "amd").Select(a => a.Name)),
            anchor?.Name ?? $"key SHA-256 {Convert.ToHexStringLower(hash)}",
            "the chain is not genuine, unless this root is meant to be trusted: then add its key to the trust anchors", Spec);
    }

    private static void CheckPlatform(SevChain chain, VerdictBuilder verdict)
    {
        Link(verdict, "sev.chain.oca", chain.Oca.Usage == SevKeyUsage.Oca && chain.Oca.IsSignedBy(SevKeyUsage.Oca, chain.Oca.Key), "the owner's authority must sign itself");
        Link(verdict, "sev.chain.pek_by_cek", chain.Pek.Usage == SevKeyUsage.Pek && chain.Pek.IsSignedBy(SevKeyUsage.Cek, chain.Cek.Key), "the chip's key must sign the platform's key");
        Link(verdict, "sev.chain.pek_by_oca", chain.Pek.IsSignedBy(SevKeyUsage.Oca, chain.Oca.Key), "the owner's authority must sign the platform's key");
        Link(verdict, "sev.chain.pdh", chain.Pdh.Usage == SevKeyUsage.Pdh && chain.Pdh.IsSignedBy(SevKeyUsage.Pek, chain.Pek.Key), "the platform's key must sign its Diffie-Hellman key");
    }

    private static void CheckChip(SevChain chain, VerificationOptions options, VerdictBuilder verdict)
    {
        if (options.Tcb.AllowedChips is { } chips)
        {
            var chip = Convert.ToHexStringLower(Digest(chain.Cek.Key));
            verdict.Check("sev.chip.allowed", chips.Contains(chip), "the chip must be one of those allowed", $"one of {chips.Count} allowed chips",
                chip, "run the guest on an allowed machine, or add the CEK's SHA-256 to the list");
        }
    }

    private static void Link(VerdictBuilder verdict, string id, bool holds, string why) => verdict.Check(id, holds, why,
        "signature verifies", holds ? "verifies" : "does not verify", "export the chain again from the platform; if it stays so, it was tampered with", Spec);

    private static byte[] Digest(SevKey? key) => key is null ? [] : SHA256.HashData(key.SubjectPublicKeyInfo);
}
