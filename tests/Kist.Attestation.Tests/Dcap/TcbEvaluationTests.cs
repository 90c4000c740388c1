using System.Text;
using Kist.Attestation.Dcap;
using Kist.Attestation.Tdx;
using Kist.Attestation.X509;

namespace Kist.Attestation.Tests.Dcap;

/// <summary>
/// The comparison with TCB info by Intel's algorithm, on made-up levels and a real platform whose PCK certificate has the
/// components 3,3,2,2,4,1,0,5 and PCESVN 11.
/// </summary>
public sealed class TcbEvaluationTests
{
    private const string UpToDateLevel = "[3,3,2,2,4,1,0,5]|11|[5,0,3]|UpToDate";

    [Theory]
    [InlineData("UpToDate", "UpToDate", "UpToDate")]
    [InlineData("SWHardeningNeeded", "UpToDate", "SWHardeningNeeded")]
    [InlineData("UpToDate", "OutOfDate", "OutOfDate")]
    [InlineData("SWHardeningNeeded", "OutOfDate", "OutOfDate")]
    [InlineData("ConfigurationNeeded", "OutOfDate", "OutOfDateConfigurationNeeded")]
    [InlineData("ConfigurationAndSWHardeningNeeded", "OutOfDate", "OutOfDateConfigurationNeeded")]
    [InlineData("OutOfDate", "OutOfDate", "OutOfDate")]
    [InlineData("OutOfDateConfigurationNeeded", "OutOfDate", "OutOfDateConfigurationNeeded")]
    [InlineData("Revoked", "UpToDate", "Revoked")]
    [InlineData("Revoked", "OutOfDate", "Revoked")]
    [InlineData("UpToDate", "Revoked", "Revoked")]
    [InlineData("OutOfDate", "Revoked", "Revoked")]
    [InlineData("SomethingNew", "UpToDate", "Unrecognized")]
    [InlineData("UpToDate", "SomethingNew", "Unrecognized")]
    public void Combine_PlatformAndPart_IsTheWorse(string platform, string part, string expected) =>
        Assert.Equal(expected, TcbStatuses.Combine(TcbStatuses.Parse(platform), TcbStatuses.Parse(part)).ToString());

    [Theory]
    [InlineData("[3,3,2,2,4,1,0,5]|11|[5,0,3]|UpToDate", "UpToDate")]
    [InlineData("[4,3,2,2,4,1,0,5]|11|[5,0,3]|UpToDate", "NotSupported")]
    [InlineData("[3,3,2,2,4,1,1,5]|11|[5,0,3]|UpToDate", "NotSupported")]
    [InlineData("[3,3,2,2,4,1,0,5]|12|[5,0,3]|UpToDate", "NotSupported")]
    [InlineData("[3,3,2,2,4,1,0,5]|11|[5,0,4]|UpToDate", "NotSupported")]
    [InlineData("[9,9]|11|[5,0,3]|UpToDate;[3,3]|11|[5,0,3]|OutOfDate", "OutOfDate")]
    [InlineData("[3,3]|11|[5,0,9]|UpToDate;[3,3]|11|[5,0,3]|OutOfDate;[1]|5|[0]|Revoked", "OutOfDate")]
    public void Evaluate_Levels_TheFirstThatIsReachedCounts(string levels, string expected) =>
        Assert.Equal(expected, Evaluate(levels, "TDX_01:6:UpToDate", [6, 1, 3]).Status.ToString());

    [Theory]
    [InlineData("TDX_01:6:UpToDate", 6, 1, "UpToDate")]
    [InlineData("TDX_01:6:UpToDate,4:OutOfDate", 5, 1, "OutOfDate")]
    [InlineData("TDX_01:6:UpToDate,4:Revoked", 4, 1, "Revoked")]
    [InlineData("TDX_01:6:UpToDate", 5, 1, "NotSupported")]
    [InlineData("TDX_01:6:UpToDate", 6, 3, "NotSupported")]
    [InlineData("tdx_03:2:UpToDate", 2, 3, "UpToDate")]
    [InlineData("TDX_0A:2:UpToDate", 2, 10, "UpToDate")]
    [InlineData("TDX_01:6:UpToDate", 5, 0, "UpToDate")]
    [InlineData("TDX_01:6:UpToDate", 4, 0, "NotSupported")]
    public void Evaluate_ModuleOfAMajorVersion_IsJudgedByItsOwnIdentity(string modules, byte svn, byte major, string expected) =>
        Assert.Equal(expected, Evaluate(UpToDateLevel, modules, [svn, major, 3]).Status.ToString());

    [Theory]
    [InlineData(63)]
    [InlineData(112)]
    public void Evaluate_ModuleOfAnotherSigner_IsNotSupported(int changed)
    {
        var body = Body([6, 1, 3], null);
        body[changed + (changed == 63 ? 1 : 0)] = 1;
        var result = TcbEvaluation.Evaluate(Info(UpToDateLevel, "TDX_01:6:UpToDate"), null, Pck(), Quote(), TdReport.Parse(body));
        Assert.Equal(TcbStatus.NotSupported, result.Status);
        Assert.NotNull(result.ModuleMismatch);
    }

    /// <summary>Only the module with which the guest was started is outdated: starting it again suffices.</summary>
    [Theory]
    [InlineData("[3,3]|11|[5,0,3]|UpToDate", "4:OutOfDate", "6,1,3", "TDRelaunchAdvised")]
    [InlineData("[3,3]|11|[5,0,3]|ConfigurationNeeded", "4:OutOfDate", "6,1,3", "TDRelaunchAdvisedConfigurationNeeded")]
    [InlineData("[3,3]|11|[5,0,3]|UpToDate", "4:OutOfDate", "5,1,3", "OutOfDate")]
    [InlineData("[3,3]|11|[5,0,3]|UpToDate", "4:OutOfDate", "6,1,2", "OutOfDate")]
    [InlineData("[3,3]|11|[5,0,3]|UpToDate", "4:OutOfDate", "6,3,3", "OutOfDate")]
    [InlineData("[3,3]|11|[5,0,3]|UpToDate", "4:Revoked", "6,1,3", "Revoked")]
    [InlineData("[3,3]|11|[5,0,3]|OutOfDate", "4:OutOfDate", "6,1,3", "OutOfDate")]
    [InlineData("[3,3]|11|[5,0,3]|UpToDate", "4:OutOfDate", "5,0,3", "TDRelaunchAdvised")]
    [InlineData("[3,3]|11|[5,0,3]|UpToDate", "4:OutOfDate", "4,0,3", "OutOfDate")]
    public void Evaluate_ModuleUpdatedSinceLaunch_AdvisesRelaunch(string levels, string module, string now, string expected)
    {
        byte[] second = [.. now.Split(',').Select(byte.Parse)];
        var body = Body([4, 1, 3], second);
        var result = TcbEvaluation.Evaluate(Info(levels, $"TDX_01:6:UpToDate,{module}"), null, Pck(), Quote(), TdReport.Parse(body));
        Assert.Equal(expected, result.Status.ToString());
    }

    private static TcbEvaluation Evaluate(string levels, string modules, byte[] teeTcbSvn) =>
        TcbEvaluation.Evaluate(Info(levels, modules), null, Pck(), Quote(), TdReport.Parse(Body(teeTcbSvn, null)));

    private static DcapQuote Quote() => DcapQuoteReader.Read(IntelCorpus.Load("tdx/b0c06f-phala/quote.dat").Bytes);

    private static PckCertificate Pck() => PckCertificate.Parse(CertificatePath.Build(PemReader.ReadCertificates(Quote().CertificationData)).Leaf);

    private static byte[] Body(byte[] teeTcbSvn, byte[]? second)
    {
        var body = new byte[second is null ? TdReport.Size10 : TdReport.Size15];
        teeTcbSvn.CopyTo(body, 0);
        second?.CopyTo(body, 584);
        return body;
    }

    /// <summary>TCB info of levels "[sgx]|pcesvn|[tdx]|status;…" and one module "id:svn:status,svn:status".</summary>
    private static TcbInfo Info(string levels, string module)
    {
        var id = module[..module.IndexOf(':', StringComparison.Ordinal)];
        var moduleLevels = module[(id.Length + 1)..].Split(',').Select(l => l.Split(':')).Select(l =>
            $$"""{"tcb":{"isvsvn":{{l[0]}}},"tcbDate":"2024-01-01T00:00:00Z","tcbStatus":"{{l[1]}}"}""");
        var zeros = new string('0', 96);
        var identity = $$"""{"mrsigner":"{{zeros}}","attributes":"0000000000000000","attributesMask":"FFFFFFFFFFFFFFFF"}""";
        var text = $$"""
            {"tcbInfo":{"id":"TDX","version":3,"issueDate":"2025-01-01T00:00:00Z","nextUpdate":"2025-02-01T00:00:00Z","fmspc":"b0c06f000000",
            "pceId":"0000","tcbType":0,"tcbEvaluationDataNumber":17,"tdxModule":{{identity}},
            "tdxModuleIdentities":[{{identity[..^1]}},"id":"{{id}}","tcbLevels":[{{string.Join(',', moduleLevels)}}]}],
            "tcbLevels":[{{string.Join(',', levels.Split(';').Select(Level))}}]},"signature":"{{new string('0', 128)}}"}
            """;
        return TcbInfo.Parse(Encoding.UTF8.GetBytes(text));
    }

    private static string Level(string level)
    {
        var parts = level.Split('|');
        return $$"""{"tcb":{"sgxtcbcomponents":{{Components(parts[0])}},"pcesvn":{{parts[1]}},"tdxtcbcomponents":{{Components(parts[2])}}},"tcbDate":"2024-01-01T00:00:00Z","tcbStatus":"{{parts[3]}}"}""";
    }

    private static string Components(string list)
    {
        var numbers = list.Trim('[', ']').Split(',').Concat(Enumerable.Repeat("0", 16)).Take(16);
        return $"[{string.Join(',', numbers.Select(n => $$"""{"svn":{{n}}}"""))}]";
    }
}
