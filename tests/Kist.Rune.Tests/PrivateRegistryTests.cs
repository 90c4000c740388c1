using System.Text;
using System.Text.Json.Nodes;
using Kist.Oci;
using Kist.Testing;

namespace Kist.Rune.Tests;

/// <summary>An image agent that pulls by TLS from a registry that asks for a password, which only the broker has.</summary>
public sealed class PrivateRegistryTests : IDisposable
{
    private const string Credentials = "kbs:///default/credential/registry";

    private static readonly string[] s_program = ["/bin/cat", "/etc/content"];

    private readonly RuneBundle _bundle = new();

    public void Dispose()
    {
        if (Directory.Exists(_bundle.Path))
            _bundle.Dispose();
    }

    [Fact]
    public async Task Run_ImageOfAPrivateRegistryWithTls_IsPulledWithTheBrokersCredentials()
    {
        ExternalProgram.Require("python3");
        string In(string name) => Path.Combine(_bundle.Path, name);
        // "user" with the password "secret", by bcrypt.
        var hash = ExternalProgram.Run("python3", ["-W", "ignore", "-c", "import crypt;print(crypt.crypt('secret', crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))"]).Trim();
        await File.WriteAllTextAsync(In("htpasswd"), $"user:{hash.Replace("$2b$", "$2y$", StringComparison.Ordinal)}\n", TestContext.Current.CancellationToken);
        using var authority = LocalAuthority.Create(In("tls.pem"), In("tls.key"));
        var password = new Password();
        await using var pod = await EncryptedImagePod.StartAsync(
            _bundle, $"auth: {{htpasswd: {{realm: test, path: {In("htpasswd")}}}}}", (In("tls.pem"), In("tls.key")),
            new RegistryOptions { PlainHttp = false, CertificateAuthorities = [authority], Credentials = password });
        await pod.Broker.PutAsync(Credentials, Encoding.UTF8.GetBytes(
            $$"""{"auths": {"{{ImageReference.Parse(pod.Image).Registry}}": {"auth": "{{Convert.ToBase64String("user:secret"u8)}}"} } }"""));

        var application = pod.Application("application", s_program);
        await pod.StartAgentAsync(pod.MrEnclave(application), change: c => Change(c, a =>
        {
            a["registryCredentials"] = Credentials;
            a["registryAuthorities"] = authority.ExportCertificatePem();
        }));
        Assert.Equal(EncryptedImagePod.Content, pod.Run(application).Output);

        // Without the password, and with authorities that did not vouch, nothing comes.
        pod.Bundle.Require("delete", "--force", pod.Id);
        await pod.StartAgentAsync(pod.MrEnclave(application), change: c => Change(c, a => a["registryAuthorities"] = authority.ExportCertificatePem()));
        Assert.Contains("401", Refusal(pod, application), StringComparison.Ordinal);
        pod.Bundle.Require("delete", "--force", pod.Id);
        using var other = LocalAuthority.Create(In("other.pem"), In("other.key"));
        await pod.StartAgentAsync(pod.MrEnclave(application), change: c => Change(c, a =>
        {
            a["registryCredentials"] = Credentials;
            a["registryAuthorities"] = other.ExportCertificatePem();
        }));
        Assert.DoesNotContain("401", Refusal(pod, application), StringComparison.Ordinal);
    }

    private static string Refusal(EncryptedImagePod pod, string application)
    {
        Assert.NotEqual(0, pod.Bundle.Create(application, pod.Bundle.NewId()).ExitCode);
        return File.ReadAllText(Path.Combine(application, "error"));
    }

    private static void Change(JsonObject config, Action<JsonObject> change)
    {
        var agent = JsonNode.Parse(config["annotations"]!["kist.enclave.agent"]!.GetValue<string>())!.AsObject();
        change(agent);
        config["annotations"]!["kist.enclave.agent"] = agent.ToJsonString();
    }

    private sealed class Password : IRegistryCredentialSource
    {
        public ValueTask<RegistryCredential?> FindAsync(string registry, string repository, CancellationToken cancellationToken) =>
            ValueTask.FromResult<RegistryCredential?>(new RegistryCredential("user", "secret"));
    }
}
