using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Kist.Enclaves.Sgx;
using Kist.Enclaves.Signing;
using Kist.Enclaves.Signing.Service;
using Kist.Formats;

namespace Kist.Enclaves.Tests.Signing;

/// <summary>What is signed for whom, what is not, and that the log says it.</summary>
public sealed class SigningServiceTests : IDisposable
{
    private static readonly string s_token = Convert.ToHexStringLower(SHA256.HashData("secret"u8));
    private static readonly string s_policy = $$"""
        {
          "callers": [ { "name": "ci", "token": "{{s_token}}" }, { "name": "other", "certificate": "{{new string('a', 64)}}" } ],
          "rules": [
            { "callers": ["ci"], "products": [7], "minimumVersion": 2, "maximumVersion": 5 },
            { "callers": ["other"], "products": [8], "maximumVersion": 65535, "debug": true }
          ]
        }
        """;

    private readonly string _directory = Directory.CreateTempSubdirectory("kist-sign-").FullName;
    private readonly SigningLog _log;
    private readonly SigningService _service;

    public SigningServiceTests()
    {
        _log = new SigningLog(LogPath);
        _service = Service(s_policy);
    }

    private string LogPath => Path.Combine(_directory, "signing.log");

    private static SigstructFields Allowed => new() { EnclaveHash = SHA256.HashData("enclave"u8), IsvProdId = 7, IsvSvn = 3 };

    public void Dispose()
    {
        _log.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void Sign_WhatARuleAllows_IsASignatureThatOpensslVerifies()
    {
        var material = SigstructComposer.SigningMaterial(Allowed);
        var signature = _service.Sign("ci", material);
        Assert.Null(SigstructVerifier.FindDefect(SigstructComposer.Assemble(material, SigningKeys.First.Modulus, signature)));

        var (key, sig, data) = (Write("key.pem", Encoding.ASCII.GetBytes(_service.PublicKeyPem)), Write("sig", signature), Write("data", material));
        using var openssl = Process.Start(new ProcessStartInfo("openssl", ["dgst", "-sha256", "-verify", key, "-signature", sig, data]) { RedirectStandardOutput = true })!;
        Assert.Equal("Verified OK", openssl.StandardOutput.ReadToEnd().Trim());
        Assert.True(openssl.WaitForExit(30_000));
        Assert.Contains("\"outcome\":\"allowed\"", Assert.Single(File.ReadAllLines(LogPath)), StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Refusals => new()
    {
        { "product", "ISVPRODID 8" },
        { "old", "ISVSVN 1" },
        { "new", "ISVSVN 6" },
        { "debug", "it is for debugging" },
        { "debug type", "it is for debugging" },
        { "debug unmasked", "leaves DEBUG" },
        { "provision", "ATTRIBUTES.FLAGS" },
        { "provision unmasked", "leaves PROVISIONKEY" },
        { "vendor", "VENDOR" },
        { "xfrm", "ATTRIBUTES.XFRM" },
        { "misc", "MISCSELECT" },
        { "misc unmasked", "MISCMASK" },
        { "family", "ISVFAMILYID" },
        { "extended product", "ISVEXTPRODID" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void Sign_WhatNoRuleAllows_IsRefusedAndTheLogSaysWhy(string what, string why)
    {
        var all = (EnclaveTraits)ulong.MaxValue;
        var fields = what switch
        {
            "product" => Allowed with { IsvProdId = 8 },
            "old" => Allowed with { IsvSvn = 1 },
            "new" => Allowed with { IsvSvn = 6 },
            "debug" => Allowed with { Attributes = new SgxAttributes(EnclaveTraits.Mode64Bit | EnclaveTraits.Debug, 3) },
            "debug type" => Allowed with { IsDebugType = true },
            "debug unmasked" => Allowed with { AttributeMask = new SgxAttributes(all & ~EnclaveTraits.Debug, 3) },
            "provision" => Allowed with { Attributes = new SgxAttributes(EnclaveTraits.Mode64Bit | EnclaveTraits.ProvisionKey, 3) },
            "provision unmasked" => Allowed with { AttributeMask = new SgxAttributes(all & ~EnclaveTraits.ProvisionKey, 3) },
            "vendor" => Allowed with { Vendor = 0x8086 },
            "xfrm" => Allowed with { Attributes = new SgxAttributes(EnclaveTraits.Mode64Bit, 0x60003) },
            "misc" => Allowed with { MiscSelect = 1 },
            "misc unmasked" => Allowed with { MiscMask = 0 },
            "family" => Allowed with { Attributes = new SgxAttributes(EnclaveTraits.Mode64Bit | EnclaveTraits.Kss, 3), IsvFamilyId = Enumerable.Repeat((byte)1, 16).ToArray() },
            _ => Allowed with { Attributes = new SgxAttributes(EnclaveTraits.Mode64Bit | EnclaveTraits.Kss, 3), IsvExtProdId = Enumerable.Repeat((byte)1, 16).ToArray() },
        };
        Assert.Throws<SigningRefusedException>(() => _service.Sign("ci", SigstructComposer.SigningMaterial(fields)));
        var line = Assert.Single(File.ReadAllLines(LogPath));
        Assert.Contains("\"outcome\":\"denied\"", line, StringComparison.Ordinal);
        Assert.Contains(why, line, StringComparison.Ordinal);
    }

    [Fact]
    public void Sign_AnotherCallersProduct_IsRefused()
    {
        Assert.Throws<SigningRefusedException>(() => _service.Sign("other", SigstructComposer.SigningMaterial(Allowed)));
        Assert.Throws<SigningRefusedException>(() => _service.Sign("stranger", SigstructComposer.SigningMaterial(Allowed)));
        Assert.Equal(384, _service.Sign("other", SigstructComposer.SigningMaterial(Allowed with { IsvProdId = 8, IsDebugType = true })).Length);
        Assert.Throws<SigningRefusedException>(() => Service("""{"callers":[],"rules":[]}""").Sign("ci", SigstructComposer.SigningMaterial(Allowed)));
    }

    /// <summary>Whatever lies between the fields would be signed without anybody having looked at it.</summary>
    [Fact]
    public void Sign_MaterialWithMoreThanItsFields_IsMalformed()
    {
        var material = SigstructComposer.SigningMaterial(Allowed);
        foreach (var offset in new[] { 0, 44, 127, 128 + 8, 128 + 92 })
        {
            var changed = (byte[])material.Clone();
            changed[offset] ^= 1;
            Assert.Throws<MalformedDataException>(() => _service.Sign("ci", changed));
        }

        Assert.Throws<MalformedDataException>(() => _service.Sign("ci", material.AsSpan(1)));
    }

    [Fact]
    public void CallerOf_TokenOrCertificate_IsKnownByItsDigestAlone()
    {
        Assert.Equal("ci", _service.CallerOf(default, "secret"));
        Assert.Null(_service.CallerOf(default, "Secret"));
        Assert.Null(_service.CallerOf(default, null));
        Assert.Null(_service.CallerOf("key"u8, null));
        var digest = Convert.ToHexStringLower(SHA256.HashData("key"u8));
        Assert.Equal("c", Service($$"""{"callers":[{"name":"c","certificate":"{{digest}}"}],"rules":[]}""").CallerOf("key"u8, null));
    }

    [Theory]
    [InlineData("""{"callers":[],"rules":[],"more":1}""")]
    [InlineData("""{"callers":[{"name":"a"}],"rules":[]}""")]
    [InlineData("""{"callers":[{"name":"a","token":"00"}],"rules":[]}""")]
    [InlineData("""{"callers":[],"rules":[{"callers":["a"],"products":[1],"maximumVersion":1}]}""")]
    [InlineData("""{"callers":[],"rules":[{"callers":[],"products":[1],"minimumVersion":2,"maximumVersion":1}]}""")]
    [InlineData("""{"callers":[],"rules":[{"callers":[],"products":[1],"maximumVersion":1,"enclaves":["00"]}]}""")]
    [InlineData("[]")]
    public void Parse_WrongPolicy_IsMalformed(string json) => Assert.Throws<MalformedDataException>(() => SigningPolicy.Parse(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void Log_LineChangedOrRemoved_IsNoticed()
    {
        for (ushort version = 2; version <= 4; version++)
            _service.Sign("ci", SigstructComposer.SigningMaterial(Allowed with { IsvSvn = version }));
        _log.Dispose();
        var lines = File.ReadAllLines(LogPath);
        Assert.Equal(64, SigningLog.Verify(LogPath).Length);
        File.WriteAllLines(LogPath, [lines[0], lines[2]]);
        Assert.Throws<MalformedDataException>(() => SigningLog.Verify(LogPath));
        File.WriteAllLines(LogPath, [lines[0], lines[1].Replace("\"version\":3", "\"version\":9", StringComparison.Ordinal), lines[2]]);
        Assert.Throws<MalformedDataException>(() => new SigningLog(LogPath));
    }

    private SigningService Service(string policy) => new(SigningKeys.First, SigningPolicy.Parse(Encoding.UTF8.GetBytes(policy)), _log, TimeProvider.System);

    private string Write(string name, byte[] content)
    {
        var path = Path.Combine(_directory, name);
        File.WriteAllBytes(path, content);
        return path;
    }
}
