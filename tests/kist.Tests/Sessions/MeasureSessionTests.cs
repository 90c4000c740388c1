using System.Diagnostics;
using System.Text.Json;
using Kist.Testing;

namespace Kist.Cli.Tests.Sessions;

/// <summary>"kist measure" as it is used: predict, keep, compare, explain.</summary>
public sealed class MeasureSessionTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kist-measure-");

    [Fact]
    public void Tdx_PredictedTwice_IsTheSameAndAChangeIsNamed()
    {
        var firmware = Write("firmware", SyntheticOvmf.WithTdx().Build());
        var kernel = Write("kernel", new SyntheticKernel().Build());
        var initrd = Write("initrd", "initrd"u8.ToArray());
        string[] launch = ["measure", "tdx", "--firmware", firmware, "--kernel", kernel, "--initrd", initrd, "--memory", "512m"];
        var first = Run(0, [.. launch, "--cmdline", "quiet", "--json", "--event-log", Path.Combine(_folder.FullName, "ccel")]);
        Assert.Equal(first, Run(0, [.. launch, "--cmdline", "quiet", "--json"]));
        var a = Write("a.json", System.Text.Encoding.UTF8.GetBytes(first));
        var b = Write("b.json", System.Text.Encoding.UTF8.GetBytes(Run(0, [.. launch, "--cmdline", "debug", "--json"])));

        Assert.Contains("input command line", Run(3, "measure", "diff", a, b), StringComparison.Ordinal);
        Assert.Equal("", Run(0, "measure", "diff", a, a));
        Assert.Contains("[initrd]", Run(0, "measure", "explain", a), StringComparison.Ordinal);

        using var log = JsonDocument.Parse(Run(0, "measure", "explain", Path.Combine(_folder.FullName, "ccel"), "--json"));
        using var manifest = JsonDocument.Parse(first);
        Assert.Equal(
            manifest.RootElement.GetProperty("registers").GetProperty("rtmr1").GetString(), log.RootElement.GetProperty("registers").GetProperty("rtmr1").GetString());

        using var set = JsonDocument.Parse(Run(0, [.. launch, "--profile", "simulated", "--reference-set", "guest"]));
        Assert.Equal("tdx", set.RootElement.GetProperty("tee").GetString());
        Assert.True(set.RootElement.GetProperty("claims").TryGetProperty("quote.body.rtmr_0", out _));
        Assert.Equal(6, Run(0, [.. launch, "--profile", "all"]).Split("tdx, ").Length - 1);
    }

    [Fact]
    public void MatchAndDiff_OfOtherKindsThanQuotes_NameWhatDiffers()
    {
        var eif = Write("image.eif", SyntheticEif.Build((1, [1]), (2, [2]), (3, [3])));
        var other = Write("other.eif", SyntheticEif.Build((1, [1]), (2, [2]), (3, [4])));
        var manifest = Write("nitro.json", System.Text.Encoding.UTF8.GetBytes(Run(0, "measure", "nitro", eif, "--json")));
        Assert.Contains("image.eif", Run(0, "measure", "match", manifest, "--image", other, "--image", eif), StringComparison.Ordinal);
        Assert.Contains("not explained", Run(3, "measure", "match", manifest, "--image", other), StringComparison.Ordinal);
        Assert.Equal("", Run(0, "measure", "diff", eif, manifest));
        Assert.Contains("pcr0", Run(3, "measure", "diff", manifest, other), StringComparison.Ordinal);

        var firmware = Write("firmware.fd", SyntheticOvmf.WithTdx().Build());
        var kernel = Write("vmlinuz", new SyntheticKernel().Build());
        var order = Write("BootOrder-8be4df61-93ca-11d2-aa0d-00e098032b8c", [7, 0, 0, 0, 1, 0]);
        string[] launch = ["measure", "tdx", "--firmware", firmware, "--kernel", kernel, "--memory", "512m", "--json"];
        var tdx = Write("tdx.json", System.Text.Encoding.UTF8.GetBytes(Run(0, [.. launch, "--agent-event", "a b c", "--boot-variable", order])));
        Assert.Equal("", Run(0, "measure", "diff", firmware, tdx));
        var difference = Run(3, "measure", "diff", tdx, Write("plain.json", System.Text.Encoding.UTF8.GetBytes(Run(0, launch))));
        Assert.Contains("rtmr3: a b, event of the attestation agent [agent]", difference, StringComparison.Ordinal);
        Assert.Contains("rtmr0: variable BootOrder", difference, StringComparison.Ordinal);
    }

    [Fact]
    public void ReferenceSet_Signed_IsTheSetAndItsSignersName()
    {
        var eif = Write("image.eif", SyntheticEif.Build((1, [1]), (2, [2]), (3, [3])));
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP384);
        var pem = Write("signer.pem", System.Text.Encoding.ASCII.GetBytes(key.ExportECPrivateKeyPem()));
        var signed = Attestation.References.SignedReferenceSet.Parse(Run(0, "measure", "nitro", eif, "--reference-set", "app", "--sign", pem));
        Assert.True(signed.IsSignedBy(key.ExportSubjectPublicKeyInfo()));
        using var set = JsonDocument.Parse(signed.Payload);
        Assert.Equal("app", set.RootElement.GetProperty("name").GetString());
        Assert.True(set.RootElement.GetProperty("claims").TryGetProperty("pcrs.pcr0", out _));
    }

    [Fact]
    public void Snp_AndItsIdBlock_AreMade()
    {
        var firmware = Write("firmware", SyntheticOvmf.WithTdx().Build());
        using var manifest = JsonDocument.Parse(Run(0, "measure", "snp", "--firmware", firmware, "--vcpus", "2", "--cpu", "EPYC-Milan", "--json"));
        var digest = manifest.RootElement.GetProperty("registers").GetProperty("measurement").GetString()!;
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP384);
        var pem = Write("key.pem", System.Text.Encoding.ASCII.GetBytes(key.ExportECPrivateKeyPem()));
        using var block = JsonDocument.Parse(Run(0, "measure", "id-block", digest, "--id-key", pem, "--json"));
        Assert.Equal(96, block.RootElement.GetProperty("id_block").GetBytesFromBase64().Length);
        Assert.Equal(4096, block.RootElement.GetProperty("id_auth").GetBytesFromBase64().Length);
    }

    [Theory]
    [InlineData(4, "measure", "nitro", "FILE")]
    [InlineData(4, "measure", "tpm", "--uki", "FILE")]
    [InlineData(4, "measure", "explain", "FILE")]
    [InlineData(1, "measure", "tdx", "--firmware", "FILE", "--kernel", "FILE", "--memory", "1x")]
    [InlineData(1, "measure", "tdx", "--firmware", "FILE", "--memory", "512m")]
    [InlineData(1, "measure", "snp", "--firmware", "/does/not/exist")]
    [InlineData(2, "measure", "tdx")]
    public void WrongInput_EndsWithItsExitCode(int exitCode, params string[] line)
    {
        var file = Write("file", "this is none of it"u8.ToArray());
        Run(exitCode, [.. line.Select(word => word == "FILE" ? file : word)]);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private string Write(string name, byte[] content)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    private static string Run(int exitCode, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(typeof(CommandTree).Assembly.Location);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == exitCode, $"exit code {process.ExitCode} of {string.Join(' ', arguments)}: {error.Result}{output}");
        return output;
    }
}
