using System.Text;
using Kist.Formats;
using Kist.Pods.Protocol;

namespace Kist.Pods.Tests;

public sealed class ImageSettingsTests
{
    [Fact]
    public void From_EverySetting_IsRead()
    {
        var settings = Read("""
            image_security_policy_uri = "kbs:///default/security-policy/test"
            sigstore_config = "default-docker: {}"
            authenticated_registry_credentials_uri = "kbs:///default/credential/test"
            extra_root_certificates = ["a", "b"]
            work_dir = "/run/image-rs"
            max_concurrent_layer_downloads_per_image = 3

            [image.image_pull_proxy]
            https_proxy = "http://proxy:3128"
            no_proxy = "10.0.0.0/8"

            [image.registry_config]
            [[image.registry_config.registry]]
            prefix = "example.com"
            location = "mirror.example.com"
            """);
        Assert.Equal(new ImageSetting("kbs:///default/security-policy/test", null), settings.SecurityPolicy);
        Assert.Equal(new ImageSetting(null, "default-docker: {}"), settings.SigstoreConfiguration);
        Assert.Equal("kbs:///default/credential/test", settings.Credentials!.Uri);
        Assert.Equal(["a", "b"], settings.AuthoritiesPem);
        Assert.Equal(("http://proxy:3128", null, "10.0.0.0/8"), (settings.HttpsProxy, settings.HttpProxy, settings.NoProxy));
        Assert.Contains("mirror.example.com", settings.RegistryConfiguration!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void From_NoSettings_DemandsNothing() => Assert.Null(Read("").SecurityPolicy);

    [Theory]
    [InlineData("image_security_polcy_uri = \"kbs:///a/b/c\"")]
    [InlineData("image_security_policy_uri = \"file:///etc/policy.json\"")]
    [InlineData("image_security_policy_uri = \"kbs:///a/b/c\"\nimage_security_policy = \"{}\"")]
    [InlineData("image_security_policy = 1")]
    [InlineData("extra_root_certificates = \"a\"")]
    [InlineData("extra_root_certificates = [1]")]
    [InlineData("registry_configuration_uri = \"kbs:///a/b/c\"\n[image.registry_config]\na = 1")]
    [InlineData("image_pull_proxy = \"http://a\"")]
    public void From_WrongSetting_IsMalformed(string setting) => Assert.Throws<MalformedDataException>(() => Read(setting));

    private static ImageSettings Read(string settings) => ImageSettings.From(InitDataToml.Parse(Encoding.UTF8.GetBytes(
        $"version = \"0.1.0\"\nalgorithm = \"sha384\"\n[data]\n\"cdh.toml\" = '''\n[image]\n{settings}\n'''\n")));
}
