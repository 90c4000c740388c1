using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Kist.Formats;
using Kist.Images.Ocicrypt;
using Kist.Oci;
using Kist.Testing;

namespace Kist.Images.Tests;

/// <summary>PKCS #7, OpenPGP and PKCS #11, against skopeo both ways where skopeo has both.</summary>
public sealed class WrappingTests : IDisposable
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Pkcs7_EncryptedBySkopeo_Opens()
    {
        using var key = RSA.Create(2048);
        using var certificate = Certificate(key, "CN=recipient");
        await File.WriteAllTextAsync(_directory["cert.pem"], certificate.ExportCertificatePem(), Cancel);
        await EncryptBySkopeoAsync("skopeo", "pkcs7:" + _directory["cert.pem"]);
        await AssertOpensAsync(new Pkcs7KeyUnwrapper([key]));
    }

    // skopeo cannot be given what it needs to decrypt PKCS #7; its library's form is asserted byte by byte instead.
    [Fact]
    public void Pkcs7_ParametersOfGcm_AreAsOcicryptsLibraryWritesThem()
    {
        using var key = RSA.Create(2048);
        using var certificate = Certificate(key, "CN=recipient");
        var message = Pkcs7Message.Encrypt("x"u8, [certificate]);
        var at = message.AsSpan().IndexOf(Convert.FromHexString("060960864801650304012E"));
        Assert.Equal("10133011840C", Convert.ToHexString(message, at + 11, 6));
        Assert.Equal("020110", Convert.ToHexString(message, at + 29, 3));
    }

    [Fact]
    public void Pkcs7_ForTwo_EachOpensOthersDoNotAndNoByteMayChange()
    {
        using var one = RSA.Create(2048);
        using var two = RSA.Create(3072);
        using var three = RSA.Create(2048);
        using var first = Certificate(one, "CN=one");
        using var second = Certificate(two, "CN=two");
        var message = Pkcs7Message.Encrypt("secret"u8, [first, second]);
        Assert.Equal("secret"u8.ToArray(), Pkcs7Message.Parse(message).TryDecrypt(one));
        Assert.Equal("secret"u8.ToArray(), Pkcs7Message.Parse(message).TryDecrypt(two));
        Assert.Null(Pkcs7Message.Parse(message).TryDecrypt(three));
        for (var length = 0; length < message.Length; length++)
            Assert.Throws<MalformedDataException>(() => Pkcs7Message.Parse(message[..length]));
        for (var i = message.Length - 40; i < message.Length; i++)
        {
            message[i] ^= 1;
            try
            {
                Assert.Null(Pkcs7Message.Parse(message).TryDecrypt(one));
            }
            catch (MalformedDataException)
            {
                // The structure broke.
            }

            message[i] ^= 1;
        }
    }

    [Theory]
    [InlineData("rsa2048")]
    [InlineData("cv25519")]
    public async Task Pgp_EncryptedBySkopeo_Opens(string kind)
    {
        var gpg = CreatePgpKey(kind);
        if (kind == "cv25519")
        {
            // Go's old OpenPGP library has no Curve25519: gpg itself stands in for it.
            File.WriteAllText(_directory["options"], "secret");
            ExternalProgram.Run("gpg", ["--batch", "--trust-model", "always", "-r", "kist@example.com", "-o", _directory["message"], "--encrypt", _directory["options"]], gpg);
            var plain = await new PgpKeyUnwrapper([SecretRing(gpg)], default).TryUnwrapAsync("pgp", await File.ReadAllBytesAsync(_directory["message"], Cancel), Cancel);
            Assert.Equal("secret"u8.ToArray(), plain);
            return;
        }

        await EncryptBySkopeoAsync("skopeo", "pgp:kist@example.com", gpg);
        await AssertOpensAsync(new PgpKeyUnwrapper([SecretRing(gpg)], default));
    }

    [Fact]
    public async Task Pgp_EncryptedHere_OpensWithSkopeoAndGpg()
    {
        var gpg = CreatePgpKey("rsa2048");
        var ring = Encoding.ASCII.GetBytes(ExternalProgram.Run("gpg", ["--armor", "--export", "kist@example.com"], gpg));
        var wrapper = new PgpKeyWrapper([ring], TimeProvider.System);
        await EncryptHereAsync(wrapper);
        await File.WriteAllBytesAsync(_directory["secret.gpg"], SecretRing(gpg), Cancel);
        await AssertSkopeoDecryptsAsync("skopeo", _directory["secret.gpg"], gpg);

        var (_, packet) = await wrapper.WrapAsync("secret"u8.ToArray(), Cancel);
        await File.WriteAllBytesAsync(_directory["packet"], packet, Cancel);
        Assert.Equal("secret", ExternalProgram.Run("gpg", ["--batch", "--decrypt", _directory["packet"]], gpg));
        for (var i = 0; i < packet.Length; i += 23)
        {
            packet[i] ^= 4;
            byte[]? opened = null;
            try
            {
                opened = await new PgpKeyUnwrapper([SecretRing(gpg)], default).TryUnwrapAsync("pgp", packet, Cancel);
            }
            catch (Exception e) when (e is MalformedDataException or OperationFailedException)
            {
                // Refused, as it must be.
            }

            // The packet's framing is nobody's secret; what it holds must stay.
            Assert.True(opened is null || opened.AsSpan().SequenceEqual("secret"u8), $"byte {i}");
            packet[i] ^= 4;
        }
    }

    [Fact]
    public async Task Pgp_KeyThatOnlySigns_IsRefused()
    {
        var gpg = Gnupg();
        ExternalProgram.Run("gpg", ["--batch", "--passphrase", "", "--quick-generate-key", "kist@example.com", "rsa2048", "sign"], gpg);
        var ring = Encoding.ASCII.GetBytes(ExternalProgram.Run("gpg", ["--armor", "--export", "kist@example.com"], gpg));
        await Assert.ThrowsAsync<MalformedDataException>(() => new PgpKeyWrapper([ring], TimeProvider.System).WrapAsync("x"u8.ToArray(), Cancel));
    }

    [Fact]
    public async Task Pkcs11_EncryptedBySkopeo_OpensInTheToken()
    {
        var token = new SoftHsmToken(_directory);
        await EncryptBySkopeoAsync(Interop.Skopeo, "pkcs11:" + token.PublicKey, token.EnvironmentFor(Interop.SoftHsm));
        await AssertOpensAsync(new Pkcs11KeyUnwrapper([Pkcs11KeyFile.Parse(await File.ReadAllBytesAsync(token.WriteKeyFile(), Cancel))]));
    }

    [Fact]
    public async Task Pkcs11_EncryptedHere_OpensWithSkopeo()
    {
        var token = new SoftHsmToken(_directory);
        using var other = RSA.Create(3072);
        using var key = Pkcs11Key.Open(Pkcs11KeyFile.Parse(await File.ReadAllBytesAsync(token.WriteKeyFile(), Cancel)), Linux.Pkcs11.Pkcs11KeyKind.Public);
        using var publicKey = key.ReadPublicKey();
        await EncryptHereAsync(new Pkcs11KeyWrapper([other, publicKey]));
        await AssertSkopeoDecryptsAsync(Interop.Skopeo, token.WriteKeyFile(Interop.SoftHsm), token.EnvironmentFor(Interop.SoftHsm));
    }

    [Theory]
    [InlineData("9999", "object=wrap", "PKCS#11: log in")]
    [InlineData("1234", "object=other", "find key")]
    [InlineData("1234", "id=%02", "find key")]
    [InlineData("1234", "id=%01", null)]
    public async Task Pkcs11_WrongPinOrKey_SaysWhich(string pin, string name, string? step)
    {
        var token = new SoftHsmToken(_directory);
        using var key = RSA.Create(2048);
        key.ImportFromPem(await File.ReadAllTextAsync(token.PublicKey, Cancel));
        var (_, packet) = await new Pkcs11KeyWrapper([key]).WrapAsync("secret"u8.ToArray(), Cancel);
        var unwrapper = new Pkcs11KeyUnwrapper([Pkcs11KeyFile.Parse(await File.ReadAllBytesAsync(token.WriteKeyFile(pin: pin, key: name), Cancel))]);
        if (step is null)
            Assert.Null(await unwrapper.TryUnwrapAsync("pkcs11", packet, Cancel));
        else
            Assert.Equal(step, (await Assert.ThrowsAsync<OperationFailedException>(() => unwrapper.TryUnwrapAsync("pkcs11", packet, Cancel))).Step);
    }

    [Theory]
    [InlineData("pkcs11: {uri: 'http://x'}")]
    [InlineData("pkcs11: {uri: 'pkcs11:object=a?module-path=/x.so'}")]
    [InlineData("pkcs11: {uri: 'pkcs11:token=a?module-path=/x.so'}")]
    [InlineData("pkcs11: {uri: 'pkcs11:token=a;object=b'}")]
    [InlineData("pkcs11: {uri: 'pkcs11:token=a;object=b?module-path=x.so'}")]
    [InlineData("pkcs11: {uri: 'pkcs11:token=a;token=c;object=b?module-path=/x.so'}")]
    [InlineData("pkcs11: {uri: 'pkcs11:token=a;object=%4?module-path=/x.so'}")]
    [InlineData("{")]
    public void Pkcs11_WrongKeyFile_IsMalformed(string yaml) => Assert.Throws<MalformedDataException>(() => Pkcs11KeyFile.Parse(Encoding.UTF8.GetBytes(yaml)));

    [Fact]
    public void Pkcs11_KeyFileInJson_IsRead()
    {
        var file = Pkcs11KeyFile.Parse("""{"pkcs11": {"uri": "pkcs11:token=a%20b;object=k;id=%01%02;slot-id=7?module-path=/m.so&pin-value=%31"}, "module": {"env": {"A": "b"}}}"""u8);
        Assert.Equal(("a b", "k", "0102", 7u, "/m.so", "1", "b"), (file.Token, file.Label, Convert.ToHexString(file.Id), file.Slot, file.ModulePath, file.Pin, file.Environment["A"]));
    }

    [Theory]
    [InlineData(LayerCompression.Gzip, false)]
    [InlineData(LayerCompression.Zstd, false)]
    [InlineData(LayerCompression.None, true)]
    public async Task AllSchemesAtOnce_EachRecipientOpens(LayerCompression compression, bool topOnly)
    {
        ExternalProgram.Require("gpg");
        using var rsa = RSA.Create(2048);
        using var certificate = Certificate(rsa, "CN=x");
        var token = new SoftHsmToken(_directory);
        using var tokenKey = RSA.Create();
        tokenKey.ImportFromPem(await File.ReadAllTextAsync(token.PublicKey, Cancel));
        var gpg = CreatePgpKey("rsa2048");
        var ring = Encoding.ASCII.GetBytes(ExternalProgram.Run("gpg", ["--armor", "--export", "kist@example.com"], gpg));
        var kek = new byte[32];
        await BuildAsync(compression);
        var plain = new OciLayout(_directory["plain"], "1");
        var encrypted = await new ImageEncryptor(
            plain, new OciLayout(_directory["encrypted"], "1"),
            [
                new KeyPacketWrapper("kbs:///a/b/c", kek), new JweKeyWrapper([Formats.Jose.RsaJsonWebKey.FromPublicKey(rsa, null)]), new Pkcs7KeyWrapper([certificate]),
                new PgpKeyWrapper([ring], TimeProvider.System), new Pkcs11KeyWrapper([tokenKey]),
            ],
            new EncryptOptions { OnlyLayers = topOnly ? [-1] : null }).EncryptAsync(Cancel);
        Assert.Equal(topOnly ? [false, true] : [true, true], encrypted.Images[0].Layers.Select(l => l.IsEncrypted));
        ILayerKeyUnwrapper[] unwrappers =
        [
            new KeyPacketUnwrapper(new FixedKeyProvider("kbs:///a/b/c", kek)), new JweKeyUnwrapper([rsa]), new Pkcs7KeyUnwrapper([rsa]), new PgpKeyUnwrapper([SecretRing(gpg)], default),
            new Pkcs11KeyUnwrapper([Pkcs11KeyFile.Parse(await File.ReadAllBytesAsync(token.WriteKeyFile(), Cancel))]),
        ];
        foreach (var unwrapper in unwrappers)
            await AssertOpensAsync(unwrapper, unwrapper.GetType().Name);
    }

    private static X509Certificate2 Certificate(RSA key, string name) =>
        new CertificateRequest(name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));

    private Dictionary<string, string> Gnupg()
    {
        ExternalProgram.Require("gpg");
        Directory.CreateDirectory(_directory["gpg"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return new Dictionary<string, string> { ["GNUPGHOME"] = _directory["gpg"] };
    }

    private Dictionary<string, string> CreatePgpKey(string kind)
    {
        var gpg = Gnupg();
        ExternalProgram.Run("gpg", ["--batch", "--passphrase", "", "--quick-generate-key", "kist@example.com", "rsa2048", "cert"], gpg);
        var listing = ExternalProgram.Run("gpg", ["--with-colons", "--list-keys", "kist@example.com"], gpg);
        var fingerprint = listing.Split('\n').First(l => l.StartsWith("fpr:", StringComparison.Ordinal)).Split(':')[9];
        ExternalProgram.Run("gpg", ["--batch", "--passphrase", "", "--quick-add-key", fingerprint, kind, "encr"], gpg);
        return gpg;
    }

    private byte[] SecretRing(IReadOnlyDictionary<string, string> gpg)
    {
        if (!File.Exists(_directory["exported"]))
            ExternalProgram.Run("gpg", ["--batch", "-o", _directory["exported"], "--export-secret-keys", "kist@example.com"], gpg);
        return File.ReadAllBytes(_directory["exported"]);
    }

    private async Task BuildAsync(LayerCompression compression = LayerCompression.Gzip)
    {
        SampleTree.Create(_directory["tree"]);
        Directory.CreateDirectory(_directory["base/etc"]);
        await File.WriteAllTextAsync(_directory["base/etc/hello"], "an older file", Cancel);
        await ImageBuilder.BuildAsync([_directory["base"], _directory["tree"]], new OciLayout(_directory["plain"], "1"), new ImageBuildOptions { Compression = compression }, Cancel);
    }

    private async Task EncryptBySkopeoAsync(string skopeo, string recipient, IReadOnlyDictionary<string, string>? environment = null)
    {
        await BuildAsync();
        ExternalProgram.Run(skopeo, ["copy", "--insecure-policy", "--encryption-key", recipient, $"oci:{_directory["plain"]}:1", $"oci:{_directory["encrypted"]}:1"], environment);
    }

    private async Task EncryptHereAsync(ILayerKeyWrapper wrapper)
    {
        await BuildAsync();
        await new ImageEncryptor(new OciLayout(_directory["plain"], "1"), new OciLayout(_directory["encrypted"], "1"), [wrapper], new EncryptOptions()).EncryptAsync(Cancel);
    }

    private async Task AssertOpensAsync(ILayerKeyUnwrapper unwrapper, string name = "out")
    {
        var pulled = await ImagePuller.PullAsync(new OciLayout(_directory["encrypted"], "1"), [unwrapper], _directory[name], new PullOptions(), null, Cancel);
        Assert.Equal(SampleTree.Describe(_directory["tree"]), SampleTree.Describe(pulled.RootFileSystem));
        Assert.True(pulled.EncryptedLayers > 0);
    }

    private async Task AssertSkopeoDecryptsAsync(string skopeo, string key, IReadOnlyDictionary<string, string> environment)
    {
        ExternalProgram.Run(skopeo, ["copy", "--insecure-policy", "--decryption-key", key, $"oci:{_directory["encrypted"]}:1", $"oci:{_directory["decrypted"]}:1"], environment);
        var expected = await ImageReader.ResolveManifestAsync(new OciLayout(_directory["plain"], "1"), Platform.Current, Cancel);
        var actual = await ImageReader.ResolveManifestAsync(new OciLayout(_directory["decrypted"], "1"), Platform.Current, Cancel);
        Assert.Equal(
            ImageManifest.Parse(expected.Bytes.Span).Layers.Select(l => l.Digest), ImageManifest.Parse(actual.Bytes.Span).Layers.Select(l => l.Digest));
    }
}
