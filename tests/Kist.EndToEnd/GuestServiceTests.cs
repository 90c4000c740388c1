namespace Kist.EndToEnd;

/// <summary>Services of the guest at 127.0.0.1:8006, asked by busybox's wget from within a container of a real guest.</summary>
public sealed class GuestServiceTests(Installation installation)
{
    private const string Base = "http://127.0.0.1:8006";

    [Fact]
    public async Task Resource_AllowedOnes_AreFetchedAndOthersAreRefused()
    {
        await PutAsync("default/web/key", "the secret of web");
        await PutAsync("default/db/key", "the secret of db");
        var result = await RunAsync(
            ["--allow-resource", "kbs:///default/web/key"],
            $"""
            wget -qO- {Base}/cdh/resource/default/web/key; echo
            wget -O- {Base}/cdh/resource/default/db/key 2>&1 | grep -o '40[0-9] [A-Za-z]*'
            wget -O- {Base}/cdh/resource/default/web 2>&1 | grep -o '40[0-9] [A-Za-z]*'
            wget -O- '{Base}/aa/token?token_type=kbs' 2>&1 | grep -o '40[0-9] [A-Za-z]*'
            wget -O- '{Base}/aa/evidence?runtime_data=x' 2>&1 | grep -o '40[0-9] [A-Za-z]*'
            wget -O- --post-data x {Base}/aa/evidence 2>&1 | grep -o '40[0-9] [A-Za-z]*'
            wget -O- {Base}/nothing 2>&1 | grep -o '40[0-9] [A-Za-z]*'
            wget -qO- {Base}/info | tr , '\n' | grep -v version
            ls /run/confidential-containers
            touch /run/confidential-containers/x 2>/dev/null || echo cannot write there
            """);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(
            [
                "the secret of web", "403 Forbidden", "400 Bad", "403 Forbidden", "403 Forbidden", "405 Method", "404 Not",
                "\"tee\":\"tdx\"", "\"simulated\":true", "\"feature\":\"all\"}", "attestation-agent", "cdh.sock", "cannot write there",
            ],
            result.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Attestation_AllowedServices_GiveEvidenceTokenAndEvents()
    {
        var result = await RunAsync(
            ["--allow-service", "evidence", "--allow-service", "token", "--allow-service", "event-log", "-u", "app"],
            $$"""
            wget -qO- '{{Base}}/aa/evidence?runtime_data=YWJj&encoding=base64' | head -c 10; echo
            wget -qO- '{{Base}}/aa/token?token_type=kbs' | head -c 13; echo
            wget -qO- --post-data '{"domain":"example.org","operation":"start","content":"x"}' {{Base}}/aa/aael && echo recorded
            wget -O- --post-data '{"domain":"github.com/confidential-containers","operation":"PullImage","content":"x"}' {{Base}}/aa/aael 2>&1 | grep -o '403 [A-Za-z]*'
            """);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal(["{\"quote\":\"", "{\"token\":\"eyJ", "recorded", "403 Forbidden"], result.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private Task<ProgramResult> RunAsync(string[] options, string script) =>
        installation.Require().Kist.RunAsync(["run", "--rm", .. options, installation.Image, "sh", "-c", script]);

    private async Task PutAsync(string name, string secret)
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, secret, TestContext.Current.CancellationToken);
        await installation.Require().MustAsync("secret", "put", $"kbs:///{name}", file);
        File.Delete(file);
    }
}
