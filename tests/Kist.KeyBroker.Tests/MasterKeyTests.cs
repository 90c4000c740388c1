using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.Formats;
using Kist.KeyBroker.Secrets;
using Kist.Testing;

namespace Kist.KeyBroker.Tests;

/// <summary>Each keeper of a master key: what it wraps comes back for the same context only, and what it asks for is the service's protocol.</summary>
/// <remarks>SoftHSM's tests run one after the other: the one library in this process has one configuration.</remarks>
[Collection("softhsm")]
public sealed class MasterKeyTests : IDisposable
{
    private const string Key = "0123456789abcdef0123456789abcdef";
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    private string SecretFile(string name, string content)
    {
        File.WriteAllText(_folder[name], content);
        File.SetUnixFileMode(_folder[name], UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return _folder[name];
    }

    private static void CheckWrapping(IMasterKey key)
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        var wrapped = key.Wrap(secret, "context"u8);
        using (var back = key.Unwrap(wrapped, "context"u8))
            Assert.Equal(secret, back.Span.ToArray());
        Assert.True(wrapped.AsSpan().IndexOf(secret) < 0);
        Assert.NotEqual(wrapped, key.Wrap(secret, "context"u8));
        Assert.Throws<OperationFailedException>(() => key.Unwrap(wrapped, "other"u8));
        for (var i = 0; i < wrapped.Length; i += 7)
        {
            var changed = (byte[])wrapped.Clone();
            changed[i] ^= 1;
            Assert.ThrowsAny<OperationFailedException>(() => key.Unwrap(changed, "context"u8));
        }
    }

    [Fact]
    public void File_MadeAndOpened_Wraps()
    {
        using (var made = MasterKeyLocation.Create($"file:{_folder["m.key"]}", TimeProvider.System))
            CheckWrapping(made);
        using var opened = MasterKeyLocation.Open(_folder["m.key"], TimeProvider.System);
        Assert.StartsWith("file:", opened.Id, StringComparison.Ordinal);
    }

    [Fact]
    public void Pkcs11_KeyInSoftHsm_WrapsAndNeverLeaves()
    {
        const string library = "/usr/lib/softhsm/libsofthsm2.so";
        Assert.SkipUnless(File.Exists(library), "softhsm2 is not installed");
        var configuration = _folder["softhsm2.conf"];
        Directory.CreateDirectory(_folder["tokens"]);
        File.WriteAllText(configuration, $"directories.tokendir = {_folder["tokens"]}\nobjectstore.backend = file\nlog.level = ERROR\n");
        SoftHsm.UseConfiguration(configuration);
        SoftHsm.Run("softhsm2-util", "--init-token", "--free", "--label", "kist broker", "--pin", "123456", "--so-pin", "654321");
        var pin = SecretFile("pin", "123456\n");
        var location = $"pkcs11:token=kist%20broker;object=master?module-path={library}&pin-source={pin}";
        Assert.Contains("no secret key", Assert.Throws<OperationFailedException>(() => MasterKeyLocation.Open(location, TimeProvider.System)).Message, StringComparison.Ordinal);
        byte[] wrapped;
        using (var made = MasterKeyLocation.Create(location, TimeProvider.System))
        {
            Assert.Equal("pkcs11:kist broker/master", made.Id);
            CheckWrapping(made);
            wrapped = made.Wrap("thirty-two bytes of some secret!"u8, "c"u8);
        }

        using (var opened = MasterKeyLocation.Open(location, TimeProvider.System))
        using (var back = opened.Unwrap(wrapped, "c"u8))
            Assert.Equal("thirty-two bytes of some secret!", Encoding.UTF8.GetString(back.Span));
        Assert.Throws<OperationFailedException>(() => MasterKeyLocation.Create(location, TimeProvider.System));
        var wrong = SecretFile("wrong", "000000\n");
        Assert.Contains("wrong PIN", Assert.Throws<OperationFailedException>(() => MasterKeyLocation.Open(location.Replace(pin, wrong, StringComparison.Ordinal), TimeProvider.System)).Message, StringComparison.Ordinal);
        File.SetUnixFileMode(pin, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Assert.Contains("others than its owner", Assert.Throws<OperationFailedException>(() => MasterKeyLocation.Open(location, TimeProvider.System)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Vault_TransitKey_IsAskedAsItsInterfaceSays()
    {
        using var vault = new FakeTransit();
        var token = SecretFile("token", "s.first\n");
        vault.Token = "s.first";
        using var key = MasterKeyLocation.Open($"vault:{vault.Address}secrets/transit/broker?token-file={token}&namespace=team", TimeProvider.System);
        Assert.Equal($"vault:127.0.0.1:{vault.Address.Port}/team/secrets/transit/broker", key.Id);
        CheckWrapping(key);
        Assert.All(vault.Requests, r => Assert.Equal("team", r.Namespace));
        Assert.Contains(vault.Requests, r => r.Path == "/v1/secrets/transit/encrypt/broker");
        Assert.Contains(vault.Requests, r => r.Path == "/v1/secrets/transit/decrypt/broker");

        // An agent renewed the token: the next call takes the new one.
        vault.Token = "s.second";
        Assert.Contains("403", Assert.Throws<OperationFailedException>(() => key.Wrap("x"u8, "c"u8)).Message, StringComparison.Ordinal);
        SecretFile("token", "s.second");
        Assert.NotEmpty(key.Wrap("x"u8, "c"u8));
        vault.Status = 503;
        Assert.True(Assert.Throws<OperationFailedException>(() => key.Wrap("x"u8, "c"u8)).IsTransient);
        vault.Dispose();
        Assert.True(Assert.Throws<OperationFailedException>(() => key.Wrap("x"u8, "c"u8)).IsTransient);
    }

    [Fact]
    public void Kms_Key_IsAskedAsItsInterfaceSays_WithSignedRequests()
    {
        using var kms = new FakeKms("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        var credentials = SecretFile("aws", "[other]\naws_access_key_id = no\n[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\naws_session_token = tok\n");
        var location = $"awskms:arn:aws:kms:eu-central-1:111122223333:key/{Guid.Empty}?region=eu-central-1&credentials-file={credentials}&endpoint={Uri.EscapeDataString(kms.Address.ToString())}";
        using var key = MasterKeyLocation.Open(location, TimeProvider.System);
        Assert.Equal($"awskms:eu-central-1/{Guid.Empty}", key.Id);
        CheckWrapping(key);
        Assert.Contains("TrentService.Encrypt", kms.Targets);
        Assert.Contains("TrentService.Decrypt", kms.Targets);

        SecretFile("aws", "[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = wrong\n");
        Assert.Contains("InvalidSignature", Assert.Throws<OperationFailedException>(() => key.Wrap("x"u8, "c"u8)).Message, StringComparison.Ordinal);
    }

    /// <summary>The suite that AWS published for implementers: get-vanilla and post-vanilla.</summary>
    [Theory]
    [InlineData("GET", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")]
    [InlineData("POST", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b")]
    public void Signature_OfThePublishedSuite_IsTheOneItSays(string method, string expected)
    {
        var authorization = AwsSignature.Authorization(
            method, [("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")], [],
            new AwsCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", null), "us-east-1", "service", new DateTimeOffset(2015, 8, 30, 12, 36, 0, TimeSpan.Zero));
        Assert.Equal(
            $"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature={expected}", authorization);
    }

    [Theory]
    [InlineData("pkcs11:token=a;object=b?module-path=/x")]
    [InlineData("pkcs11:token=a;token=b;object=c?module-path=/x&pin-source=/y")]
    [InlineData("pkcs11:token=a;object=b;serial=1?module-path=/x&pin-source=/y")]
    [InlineData("vault:https://host/transit?token-file=/t")]
    [InlineData("vault:https://user@host/transit/key?token-file=/t")]
    [InlineData("vault:https://host/transit/../key?token-file=/t&x=1")]
    [InlineData("awskms:key")]
    [InlineData("")]
    public void Open_ALocationThatIsNone_Throws(string location) =>
        Assert.Throws<MalformedDataException>(() => MasterKeyLocation.Open(location, TimeProvider.System));

    [Theory]
    [InlineData("vault:http://example.com/transit/key?token-file=/t")]
    [InlineData("awskms:alias/mine?region=eu-central-1")]
    [InlineData("awskms:00000000-0000-0000-0000-000000000000?region=nowhere")]
    [InlineData("/nonexistent/master.key")]
    public void Open_WhatMayNotBeUsed_Throws(string location) =>
        Assert.Throws<OperationFailedException>(() => MasterKeyLocation.Open(location, TimeProvider.System));
}

/// <summary>SoftHSM with a configuration of the test's own.</summary>
static class SoftHsm
{
    public static void UseConfiguration(string path)
    {
        Environment.SetEnvironmentVariable("SOFTHSM2_CONF", path);
        // The library reads the variable of the process, which .NET does not change for native code.
        Assert.Equal(0, setenv("SOFTHSM2_CONF", path, 1));
    }

    public static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, output);
    }

    [System.Runtime.InteropServices.DllImport("libc", CharSet = System.Runtime.InteropServices.CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int setenv(string name, string value, int overwrite);
}
