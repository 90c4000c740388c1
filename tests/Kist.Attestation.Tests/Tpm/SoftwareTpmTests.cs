using System.Diagnostics;
using System.Security.Cryptography;

namespace Kist.Attestation.Tests.Tpm;

/// <summary>Quotes of another implementation: swtpm, driven by tpm2-tools.</summary>
public sealed class SoftwareTpmTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kist-swtpm-").FullName;
    private Process? _tpm;

    [Theory]
    [InlineData("rsa2048", "rsassa")]
    [InlineData("rsa2048", "rsapss")]
    [InlineData("ecc256", "ecdsa")]
    public void Verify_QuoteOfSwtpm_IsAccepted(string algorithm, string scheme)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/swtpm") && File.Exists("/usr/bin/tpm2_quote"), "swtpm or tpm2-tools is not installed");
        Start();
        var nonce = SHA384.HashData("nonce"u8);
        Run("tpm2_createprimary", "-C", "e", "-G", $"{algorithm}:{scheme}-sha256:null", "-c", "ak.ctx",
            "-a", "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign");
        Run("tpm2_readpublic", "-c", "ak.ctx", "-f", "pem", "-o", "ak.pem");
        Run("tpm2_quote", "-c", "ak.ctx", "-l", "sha256:0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23", "-q",
            Convert.ToHexStringLower(nonce), "-m", "quote.msg", "-s", "quote.sig", "-o", "quote.pcrs", "-F", "values", "--scheme", scheme);
        var pcrs = File.ReadAllBytes(Path.Combine(_folder, "quote.pcrs"));
        string[] registers = [.. Enumerable.Range(0, 24).Select(i => Convert.ToHexStringLower(pcrs.AsSpan(i * 32, 32)))];
        var spki = PemBytes(File.ReadAllText(Path.Combine(_folder, "ak.pem")));
        var evidence = QuoteMaker.Evidence(
            spki, File.ReadAllBytes(Path.Combine(_folder, "quote.msg")), File.ReadAllBytes(Path.Combine(_folder, "quote.sig")), registers);

        var verdict = EvidenceVerifier.Verify("tpm", evidence, new ExpectedBinding(nonce, null), QuoteMaker.Pin(spki));

        Assert.True(verdict.IsAccepted, VerdictTree.ToText(verdict));
    }

    public void Dispose()
    {
        if (_tpm is { HasExited: false })
        {
            _tpm.Kill();
            _tpm.WaitForExit();
        }

        _tpm?.Dispose();
        Directory.Delete(_folder, true);
    }

    private void Start()
    {
        _tpm = Process.Start(new ProcessStartInfo("/usr/bin/swtpm", [
            "socket", "--tpm2", "--tpmstate", $"dir={_folder}", "--server", $"type=unixio,path={_folder}/tpm.sock",
            "--ctrl", $"type=unixio,path={_folder}/tpm.sock.ctrl", "--flags", "startup-clear,not-need-init"]))!;
        for (var i = 0; i < 100 && !File.Exists($"{_folder}/tpm.sock"); i++)
            Thread.Sleep(50);
    }

    private void Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo($"/usr/bin/{program}", arguments)
        {
            WorkingDirectory = _folder,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment["TPM2TOOLS_TCTI"] = $"swtpm:path={_folder}/tpm.sock";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEnd();
        Assert.True(process.WaitForExit(30_000), $"{program} does not end");
        Assert.True(process.ExitCode == 0, $"{program}: {errors}");
        Assert.NotNull(output.Result);
    }

    private static byte[] PemBytes(string pem)
    {
        var fields = PemEncoding.Find(pem);
        return Convert.FromBase64String(pem[fields.Base64Data]);
    }
}
