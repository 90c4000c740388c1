using System.Security.Cryptography;
using System.Text;
using Kist.Testing;

namespace Kist.EndToEnd;

/// <summary>A real guest judges an image's signatures by a policy from init-data or from the broker.</summary>
public sealed class ImagePolicyTests(Installation installation) : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Run_UnsignedImageUnderASigningPolicy_IsRefusedInTheGuest()
    {
        await WriteKeysAsync();
        var image = await EncryptAsync("unsigned");
        var result = await installation.Kist.RunAsync("run", "--rm", "--image-policy", WritePolicy(KeyData()), image);
        Assert.Equal(125, result.ExitCode);
        Assert.Contains("verify signatures", result.Stderr, StringComparison.Ordinal);
        Assert.Contains("there is no signature", result.Stderr, StringComparison.Ordinal);
        Assert.Empty(result.Stdout);
    }

    [Fact]
    public async Task Run_SignedByAnotherKey_IsRefused_AndByTheRightOneRuns_WithPolicyAndKeyAtTheBroker()
    {
        await WriteKeysAsync();
        var image = await EncryptAsync("signed");
        await installation.MustAsync("secret", "put", "kbs:///default/cosign-public-key/test", _directory["public.pem"]);
        await installation.MustAsync("secret", "put", "kbs:///default/security-policy/test", WritePolicy("""
            "keyPath": "kbs:///default/cosign-public-key/test"
            """));
        await installation.MustAsync("image", "sign", "--key", _directory["other.pem"], image);
        var refused = await installation.Kist.RunAsync("run", "--rm", "--image-policy", "kbs:///default/security-policy/test", image);
        Assert.Equal(125, refused.ExitCode);
        Assert.Contains("by another key", refused.Stderr, StringComparison.Ordinal);

        await installation.MustAsync("image", "sign", "--key", _directory["private.pem"], image);
        var accepted = await installation.Kist.RunAsync("run", "--rm", "--image-policy", "kbs:///default/security-policy/test", image);
        Assert.True(accepted.ExitCode == 0, accepted.ToString());
        Assert.Equal("hello from the guest\n", accepted.Stdout);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private async Task WriteKeysAsync()
    {
        installation.Require();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await File.WriteAllTextAsync(_directory["private.pem"], key.ExportPkcs8PrivateKeyPem(), Cancel);
        await File.WriteAllTextAsync(_directory["public.pem"], key.ExportSubjectPublicKeyInfoPem(), Cancel);
        await File.WriteAllTextAsync(_directory["other.pem"], other.ExportPkcs8PrivateKeyPem(), Cancel);
    }

    private async Task<string> EncryptAsync(string name)
    {
        var image = $"{installation.Endpoints.Registry}/{name}:v1";
        await installation.MustAsync("image", "encrypt", $"oci:{installation.PlainLayout}:v1", image);
        return image;
    }

    private string KeyData() => $"""
        "keyData": "{Convert.ToBase64String(File.ReadAllBytes(_directory["public.pem"]))}"
        """;

    private string WritePolicy(string key)
    {
        File.WriteAllText(_directory["policy.json"], $$$$"""
            {"default": [{"type": "reject"}],
             "transports": {"docker": {"{{{{installation.Endpoints.Registry}}}}": [{"type": "sigstoreSigned", {{{{key}}}}, "signedIdentity": {"type": "matchRepository"}}]}}}
            """);
        return _directory["policy.json"];
    }
}
