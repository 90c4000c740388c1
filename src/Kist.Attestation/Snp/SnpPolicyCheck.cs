using System.Collections.Frozen;

namespace Kist.Attestation.Snp;

/// <summary>Evaluates what a genuine report says against what is acceptable.</summary>
internal static class SnpPolicyCheck
{
    private const string PolicySpec = "AMD 56860 section 4.3, table 9";

    public static void Run(
        SnpClaims claims, SnpCertificateExtensions? extensions, VerificationOptions options, VerdictBuilder verdict)
    {
        CheckVmpl(claims.Report, options.Snp, verdict);
        CheckMigration(claims.Report, options.Snp, verdict);
        CheckIdBlock(claims.Report, options.Snp, verdict);
        CheckFirmware(claims, options, verdict);
        CheckPlatform(claims, extensions, options, verdict);
    }

    private static void CheckVmpl(SnpReport report, SnpPolicy policy, VerdictBuilder verdict)
    {
        var highest = (uint)(policy.MaximumVmpl ?? 3);
        verdict.Check("snp.vmpl", report.Vmpl <= highest,
            "the report must be asked for by the most privileged software that the policy requires",
            highest == 0 ? "0" : $"0 to {highest}", report.Vmpl == uint.MaxValue ? "asked for by the host" : $"{report.Vmpl}",
            "ask for the report at VMPL 0; if the guest runs under a reviewed SVSM or paravisor, allow its VMPL (--max-vmpl)",
            SnpVerifier.Abi);
    }

    private static void CheckMigration(SnpReport report, SnpPolicy policy, VerdictBuilder verdict)
    {
        var agent = report.MigrationAgentReportId.Span;
        var hasAgent = agent.IndexOfAnyExcept((byte)0) >= 0 && agent.IndexOfAnyExcept((byte)0xFF) >= 0;
        var holds = policy.AllowMigrationAgent || (!report.Policy.IsMigrationAgentAllowed && !hasAgent);
        verdict.Check("snp.migration_agent", holds, "no migration agent may export the guest to another machine",
            policy.AllowMigrationAgent ? "allowed" : "not allowed, none associated",
            hasAgent ? $"associated: {Convert.ToHexStringLower(agent)}" : report.Policy.IsMigrationAgentAllowed ? "allowed by the guest policy" : "not allowed",
            "launch the guest with a policy without MIGRATE_MA, or allow migration agents after reviewing them", PolicySpec);
    }

    private static void CheckIdBlock(SnpReport report, SnpPolicy policy, VerdictBuilder verdict)
    {
        Allowed("snp.id_key", policy.IdKeyDigests, report.IdKeyDigest, "the ID block must be signed by an accepted ID key", verdict);
        Allowed("snp.author_key", policy.AuthorKeyDigests, report.AuthorKeyDigest, "the ID key must be certified by an accepted author key", verdict);
    }

    private static void Allowed(
        string id, FrozenSet<string>? accepted, ReadOnlyMemory<byte> digest, string why, VerdictBuilder verdict)
    {
        if (accepted is null)
            return;
        var actual = Convert.ToHexStringLower(digest.Span);
        verdict.Check(id, accepted.Contains(actual), why, string.Join(" or ", accepted), actual,
            "launch the guest with an ID block signed by an accepted key", "AMD 56860 section 8.18 (SNP_LAUNCH_FINISH)");
    }

    private static void CheckFirmware(SnpClaims claims, VerificationOptions options, VerdictBuilder verdict)
    {
        var report = claims.Report;
        var (reported, current, committed) =
            (report.ReportedTcb(claims.Product), report.CurrentTcb(claims.Product), report.CommittedTcb(claims.Product));
        verdict.Check("snp.tcb.order", current.IsAtLeast(reported) && current.IsAtLeast(committed),
            "the running firmware cannot be older than what it reports or has committed", $"at least {reported} and {committed}",
            $"{current}", "the report contradicts itself: do not use this platform", "AMD 56860 section 3.3");
        if (!options.Snp.AllowProvisionalFirmware)
        {
            verdict.Check("snp.tcb.committed", committed == current && report.CommittedVersion == report.CurrentVersion,
                "the running firmware must be committed, so that it cannot be rolled back", $"{current} ({report.CurrentVersion})",
                $"{committed} ({report.CommittedVersion})", "commit the firmware on the host (SNP_COMMIT)", "AMD 56860 section 8.5");
        }

        if (options.Snp.RequiredMitigations is var required and not 0)
        {
            var both = report.LaunchMitigationVector & report.CurrentMitigationVector;
            verdict.Check("snp.mitigations", (both & required) == required, "the required mitigations must be in force since launch",
                $"0x{required:x}", $"launch 0x{report.LaunchMitigationVector:x}, now 0x{report.CurrentMitigationVector:x}",
                "update the firmware and launch the guest again", SnpVerifier.Abi);
        }

        CheckMinimums(claims, options.Tcb, verdict);
    }

    private static void CheckMinimums(SnpClaims claims, TcbPolicy policy, VerdictBuilder verdict)
    {
        if (policy.MinimumGuestSvn > 0)
        {
            verdict.Check("snp.guest_svn", claims.Report.GuestSvn >= (uint)policy.MinimumGuestSvn,
                "the guest must be new enough", $"at least {policy.MinimumGuestSvn}", $"{claims.Report.GuestSvn}",
                "deploy a newer version of the guest", SnpVerifier.Abi);
        }

        var components = claims.TcbComponents().ToDictionary(StringComparer.Ordinal);
        var minimums = policy.MinimumComponents.Where(m => m.Key.StartsWith("reported_tcb_", StringComparison.Ordinal)).ToList();
        if (minimums.Count == 0)
        {
            verdict.NotChecked("snp.tcb.minimum",
                $"no least versions of AMD's firmware are set, so {claims.Report.ReportedTcb(claims.Product)} was not judged",
                "set minimums from AMD's security bulletins (reported_tcb_snp, reported_tcb_microcode, …)", "AMD 56860 section 2.2");
            return;
        }

        foreach (var (name, least) in minimums)
        {
            var found = components.TryGetValue(name, out var actual);
            verdict.Check($"snp.tcb.minimum.{name["reported_tcb_".Length..]}", found && actual >= least,
                "the firmware must be at least as new as the policy asks", $"at least {least}", found ? $"{actual}" : "no such component",
                $"update the host's firmware; it is {(found ? least - actual : least)} versions behind", "AMD 56860 section 2.2");
        }
    }

    private static void CheckPlatform(
        SnpClaims claims, SnpCertificateExtensions? extensions, VerificationOptions options, VerdictBuilder verdict)
    {
        if (options.Tcb.AllowedChips is { } chips)
        {
            var chip = Convert.ToHexStringLower(claims.Report.ChipId.Span[..claims.Product.HardwareIdSize()]);
            verdict.Check("snp.chip.allowed", chips.Contains(chip), "the chip must be one of those allowed",
                $"one of {chips.Count} allowed chips", chip, "run the guest on an allowed machine, or add this chip to the list");
        }

        if (options.Snp.CloudProviders is { } providers && claims.Report.SigningKey == SnpSigningKey.Vlek)
        {
            var provider = extensions?.CloudProviderId ?? "";
            verdict.Check("snp.provider", providers.Contains(provider), "the VLEK must be that of an accepted cloud provider",
                string.Join(" or ", providers), provider, "run the guest at an accepted provider", "AMD 57230 section 3.1");
        }
    }
}
