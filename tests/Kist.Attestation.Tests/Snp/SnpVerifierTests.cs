using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Kist.Attestation.Snp;
using Kist.Formats;

namespace Kist.Attestation.Tests.Snp;

public class SnpVerifierTests
{
    private static readonly VerificationOptions s_options = SnpSamples.At("2024-01-01");

    [Fact]
    public void Verify_EveryByteOfTheReportChanged_IsNeverAccepted() =>
        Robustness.NoChangeIsAccepted(SnpSamples.MilanV2, s_options, 0, SnpReport.Size);

    [Fact]
    public void Verify_EveryByteOfTheCertificateChanged_IsNeverAccepted()
    {
        var good = SnpSamples.MilanV2;
        var certificate = good.Certificates.ToArray();
        for (var i = 0; i < certificate.Length; i += Environment.GetEnvironmentVariable("KIST_EXHAUSTIVE") == "1" ? 1 : 3)
        {
            certificate[i] ^= 0x40;
            var changed = new Evidence { Tee = "snp", Bytes = good.Bytes, Certificates = certificate };
            Assert.False(Robustness.IsAccepted(changed, s_options), $"accepted with certificate byte {i} changed");
            certificate[i] ^= 0x40;
        }
    }

    [Fact]
    public void Verify_EveryPrefix_IsRefused() => Robustness.NoPrefixIsAccepted(SnpSamples.MilanV2, s_options);

    [Fact]
    public void Verify_Noise_IsRefused() => Robustness.NoiseIsRefused("snp", SnpSamples.MilanV2.Bytes, s_options);

    [Fact]
    public void Verify_CocoJson_EqualsTheBytes()
    {
        var report = SnpReportReader.Parse(SnpSamples.MilanV2.Bytes.Span);
        using var json = JsonDocument.Parse(SnpJson.Write(report, SnpProduct.Milan, SnpSamples.MilanV2.Certificates.Span));

        Assert.Equal(report.Bytes.ToArray(), SnpJsonReport.ToBytes(json.RootElement.GetProperty("attestation_report")));
        var verdict = EvidenceVerifier.Verify("snp", json.RootElement, ExpectedBinding.None, s_options);
        Assert.True(verdict.IsAccepted, VerdictTree.ToText(verdict));
    }

    [Fact]
    public void Verify_CocoJsonOfTurin_KeepsTheFmc()
    {
        var sample = SnpSamples.Report("snp/turin-v5-openanolis/report.bin", "snp/turin-v5-openanolis/vcek.der");
        var report = SnpReportReader.Parse(sample.Bytes.Span);
        using var json = JsonDocument.Parse(SnpJson.Write(report, SnpProduct.Turin, sample.Certificates.Span));

        var verdict = EvidenceVerifier.Verify("snp", json.RootElement, ExpectedBinding.None, SnpSamples.At("2026-08-01"));

        Assert.True(verdict.IsAccepted, VerdictTree.ToText(verdict));
        Assert.Equal((byte)1, report.ReportedTcb(SnpProduct.Turin).Fmc);
    }

    [Fact]
    public void Verify_DamagedCocoJson_ThrowsOnlyMalformedData()
    {
        var report = SnpReportReader.Parse(SnpSamples.MilanV2.Bytes.Span);
        using var json = JsonDocument.Parse(SnpJson.Write(report, SnpProduct.Milan, SnpSamples.MilanV2.Certificates.Span));
        Robustness.NoDamagedJsonThrows("snp", json.RootElement, s_options);
    }

    [Theory]
    [InlineData("ec6c52d7533cc2c4f45be7849cf112ab82b2009fe7bd43e71ed08c14400ad7e2", true)]
    [InlineData("ec6c52d7533cc2c4f45be7849cf112ab82b2009fe7bd43e71ed08c14400ad7e200", true)]
    [InlineData("ec6c52d7533cc2c4f45be7849cf112ab82b2009fe7bd43e71ed08c14400ad7", false)]
    [InlineData("00", false)]
    public void Verify_ReportData_IsPaddedWithZeros(string expected, bool accepted)
    {
        var binding = new ExpectedBinding(Convert.FromHexString(expected), null);

        var verdict = EvidenceVerifier.Verify(SnpSamples.MilanV2, binding, s_options);

        Assert.Equal(accepted, verdict.IsAccepted);
        Assert.Equal(accepted ? null : "snp.binding.report_data", verdict.DecisiveFailure?.Id);
    }

    [Fact]
    public void Verify_OtherInitData_IsRefused()
    {
        var verdict = EvidenceVerifier.Verify(SnpSamples.MilanV2, new ExpectedBinding(null, new byte[] { 1, 2, 3 }), s_options);

        Assert.Equal("snp.binding.init_data", verdict.DecisiveFailure?.Id);
    }

    [Theory]
    [InlineData("reported_tcb_snp", 8, true)]
    [InlineData("reported_tcb_snp", 9, false)]
    [InlineData("reported_tcb_microcode", 116, false)]
    [InlineData("reported_tcb_fmc", 1, false)]
    public void Verify_MinimumComponents_Decide(string component, int least, bool accepted)
    {
        var tcb = new TcbPolicy { MinimumComponents = ImmutableDictionary<string, int>.Empty.Add(component, least) };

        var verdict = EvidenceVerifier.Verify(SnpSamples.MilanV2, ExpectedBinding.None, s_options with { Tcb = tcb });

        Assert.Equal(accepted, verdict.IsAccepted);
    }

    [Fact]
    public void Verify_PolicyOfIdKeyChipAndFirmware_DecidesByEach()
    {
        var digest = Convert.ToHexStringLower(SnpReportReader.Parse(SnpSamples.MilanV2.Bytes.Span).IdKeyDigest.Span);
        Assert.True(Accepts(s_options with { Snp = new SnpPolicy { IdKeyDigests = FrozenSet.Create(digest) } }));
        Assert.False(Accepts(s_options with { Snp = new SnpPolicy { IdKeyDigests = FrozenSet.Create(new string('0', 96)) } }));
        Assert.False(Accepts(s_options with { Snp = new SnpPolicy { AllowProvisionalFirmware = false } }));
        Assert.False(Accepts(s_options with { Snp = new SnpPolicy { RequiredMitigations = 1 } }));
        Assert.False(Accepts(s_options with { Tcb = new TcbPolicy { AllowedChips = FrozenSet.Create("00") } }));
        Assert.True(Accepts(s_options with { Tcb = new TcbPolicy { MinimumGuestSvn = 4 } }));
        Assert.False(Accepts(s_options with { Tcb = new TcbPolicy { MinimumGuestSvn = 5 } }));
    }

    /// <summary>A forger's own authority in the leaf's place, with the genuine leaf among the intermediates.</summary>
    [Fact]
    public void Verify_ForgedLeafBesideTheGenuineOne_IsNotAccepted()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var request = new CertificateRequest("CN=SEV-VCEK", key, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using (var genuine = X509CertificateLoader.LoadCertificate(SnpSamples.MilanV2.Certificates.Span))
        {
            foreach (var extension in genuine.Extensions.Where(e => e.Oid!.Value!.StartsWith("1.3.6.1.4.1.3704", StringComparison.Ordinal)))
                request.CertificateExtensions.Add(extension);
        }

        using var forged = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        var bytes = SnpSamples.MilanV2.Bytes.ToArray();
        bytes[0x90] ^= 1;
        Resign(key, bytes);
        var evidence = new Evidence { Tee = "snp", Bytes = bytes, Certificates = new byte[][] { forged.RawData, SnpSamples.MilanV2.Certificates.ToArray() }.SelectMany(b => b).ToArray() };

        var verdict = EvidenceVerifier.Verify(evidence, ExpectedBinding.None, s_options);

        Assert.Contains(verdict.Findings, f => f is { Id: "snp.report.signature", Outcome: FindingOutcome.Pass });
        Assert.Equal("snp.chain.anchor", verdict.DecisiveFailure?.Id);
    }

    [Fact]
    public void Verify_AnyVerdict_ExplainsEveryFinding()
    {
        var verdict = EvidenceVerifier.Verify(SnpSamples.MilanV2, ExpectedBinding.None, s_options);

        foreach (var finding in verdict.Findings)
            Assert.NotNull(FindingCatalog.Find(finding.Id));
    }

    [Fact]
    public void Inspect_Report_CoversEveryByteThatIsNotReserved()
    {
        var report = SnpReportReader.Parse(SnpSamples.MilanV2.Bytes.Span);

        var covered = SnpInspector.ReportFields(report).Sum(f => f.Length);

        Assert.Equal(SnpReport.Size - 4 - 21 - 1 - 1 - 152, covered);
    }

    [Theory]
    [InlineData(0x04C)]
    [InlineData(0x188)]
    [InlineData(0x18B)]
    [InlineData(0x1EB)]
    [InlineData(0x1F8)]
    [InlineData(0x208)]
    [InlineData(0x29F)]
    [InlineData(0x2D0)]
    [InlineData(0x49F)]
    public void Parse_ReservedByteSet_IsMalformed(int offset)
    {
        var bytes = SnpSamples.MilanV2.Bytes.ToArray();
        bytes[offset] = 1;

        var e = Assert.Throws<MalformedDataException>(() => SnpReportReader.Parse(bytes));

        Assert.Equal(offset, e.Offset);
    }

    [Theory]
    [InlineData(0x19, 0x01, "Milan")]
    [InlineData(0x19, 0x11, "Genoa")]
    [InlineData(0x19, 0xA0, "Genoa")]
    [InlineData(0x1A, 0x02, "Turin")]
    [InlineData(0x1A, 0x12, "Unknown")]
    [InlineData(0x17, 0x31, "Unknown")]
    public void FromCpuid_FamilyAndModel_GiveTheProduct(byte family, byte model, string product) =>
        Assert.Equal(product, SnpProducts.FromCpuid(family, model).ToString());

    [Fact]
    public void Parse_TableThatPointsOutside_IsMalformed()
    {
        var table = new byte[72];
        new Guid("63da758d-e664-4564-adc5-f4b93be8accd").TryWriteBytes(table, bigEndian: true, out _);
        table[16] = 48;
        table[20] = 25;
        Assert.Throws<MalformedDataException>(() => SnpCertificateTable.Parse(table));
        table[20] = 24;
        Assert.Equal(SnpCertificateKind.Vcek, Assert.Single(SnpCertificateTable.Parse(table)).Kind);
    }

    private static void Resign(ECDsa key, byte[] report)
    {
        var rs = key.SignData(report.AsSpan(0, SnpReport.SignedSize), HashAlgorithmName.SHA384);
        report.AsSpan(SnpReport.SignedSize).Clear();
        rs.AsSpan(0, 48).ToArray().AsEnumerable().Reverse().ToArray().CopyTo(report, SnpReport.SignedSize);
        rs.AsSpan(48).ToArray().AsEnumerable().Reverse().ToArray().CopyTo(report, SnpReport.SignedSize + 72);
    }

    private static bool Accepts(VerificationOptions options) =>
        EvidenceVerifier.Verify(SnpSamples.MilanV2, ExpectedBinding.None, options).IsAccepted;
}
