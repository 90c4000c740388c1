using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Kist.Cli.Commands.Sgx;
using Kist.Enclaves.Sgx;
using Kist.Enclaves.Signing;
using Kist.Enclaves.Signing.Service;
using Kist.Formats;

namespace Kist.Cli.Tests.Sgx;

/// <summary>The signing server over real TLS: who may have what signed, and a SIGSTRUCT that openssl and EINIT's rules accept.</summary>
public sealed class SignServerTests : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("kist-sign-server-").FullName;
    private readonly X509Certificate2 _server = Certificate("server");
    private readonly X509Certificate2 _caller = Certificate("ci");
    private readonly EnclaveSigningKey _key = EnclaveSigningKey.Generate();
    private SigningLog? _log;
    private SigningHost? _host;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static SigstructFields Fields => new() { EnclaveHash = SHA256.HashData("enclave"u8), IsvProdId = 7, IsvSvn = 3 };

    private string LogPath => Path.Combine(_directory, "log");

    public async ValueTask InitializeAsync()
    {
        var policy = $$"""
            {
              "callers": [
                { "name": "ci", "certificate": "{{Digest(_caller.PublicKey.ExportSubjectPublicKeyInfo())}}" },
                { "name": "desk", "token": "{{Digest("secret"u8.ToArray())}}" }
              ],
              "rules": [ { "callers": ["ci", "desk"], "products": [7], "maximumVersion": 9 } ]
            }
            """;
        _log = new SigningLog(LogPath);
        var service = new SigningService(_key, SigningPolicy.Parse(Encoding.UTF8.GetBytes(policy)), _log, TimeProvider.System);
        _host = await SigningHost.StartAsync(new IPEndPoint(IPAddress.Loopback, 0), _server, service, Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await _host!.DisposeAsync();
        _log!.Dispose();
        _key.Dispose();
        _server.Dispose();
        _caller.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Sign_CallersByCertificateAndToken_GetASigstructThatOpensslVerifies()
    {
        using var byCertificate = Signer(_caller, null);
        using var byToken = Signer(null, "secret");
        foreach (var signer in new[] { byCertificate, byToken })
        {
            var sigstruct = await signer.SignAsync(Fields, _key.MrSigner(), Cancel);
            Assert.Null(SigstructVerifier.FindDefect(sigstruct));
            Assert.Equal("Verified OK", Openssl(sigstruct));
        }

        var lines = await File.ReadAllLinesAsync(LogPath, Cancel);
        Assert.Contains("\"caller\":\"ci\"", lines[0], StringComparison.Ordinal);
        Assert.Contains("\"caller\":\"desk\"", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sign_WhatNoRuleAllows_IsRefusedWithoutAReasonForTheCaller()
    {
        using var signer = Signer(_caller, null);
        var error = await Assert.ThrowsAsync<OperationFailedException>(() => signer.SignAsync(Fields with { IsvProdId = 8 }, null, Cancel));
        Assert.Contains("403", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("ISVPRODID", error.Message, StringComparison.Ordinal);
        Assert.Contains("ISVPRODID 8", (await File.ReadAllLinesAsync(LogPath, Cancel)).Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sign_StrangerOrWrongToken_IsNotLetIn()
    {
        using var strange = Certificate("stranger");
        foreach (var (own, token) in new[] { (strange, (string?)null), (null, "Secret"), (null, null) })
        {
            using var signer = Signer(own, token);
            Assert.Contains("401", (await Assert.ThrowsAsync<OperationFailedException>(() => signer.SignAsync(Fields, null, Cancel))).Message, StringComparison.Ordinal);
        }

        Assert.Empty(await File.ReadAllTextAsync(LogPath, Cancel));
    }

    [Fact]
    public async Task Sign_ServerWithAnotherKeyOrCertificate_IsNotBelieved()
    {
        using var signer = Signer(_caller, null);
        Assert.Contains("another key", (await Assert.ThrowsAsync<OperationFailedException>(() => signer.SignAsync(Fields, new byte[32], Cancel))).Message, StringComparison.Ordinal);
        using var mistaken = new RemoteSigner(_host!.Endpoint, _caller, _caller, null);
        await Assert.ThrowsAsync<OperationFailedException>(() => mistaken.SignAsync(Fields, null, Cancel));
        Assert.Throws<MalformedDataException>(() => new RemoteSigner(new Uri("http://127.0.0.1:1"), null, null, null));
    }

    [Theory]
    [InlineData(255, 400)]
    [InlineData(257, 400)]
    [InlineData(100_000, 413)]
    public async Task Post_WhatIsNoMaterial_IsRefused(int length, int status)
    {
        var pinned = _server.RawData;
        using var http = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, c, _, _) => c is not null && c.GetRawCertData().AsSpan().SequenceEqual(pinned) },
        })
        {
            BaseAddress = _host!.Endpoint,
            DefaultRequestHeaders = { { "Authorization", "Bearer secret" } },
        };
        using var content = new ByteArrayContent(new byte[length]);
        using var response = await http.PostAsync(RemoteSigner.SignaturePath, content, Cancel);
        Assert.Equal(status, (int)response.StatusCode);
    }

    private RemoteSigner Signer(X509Certificate2? own, string? token) => new(_host!.Endpoint, _server, own, token);

    private string Openssl(Sigstruct sigstruct)
    {
        string Write(string name, ReadOnlySpan<byte> content)
        {
            var path = Path.Combine(_directory, name);
            File.WriteAllBytes(path, content);
            return path;
        }

        var signature = sigstruct.Signature.ToArray();
        Array.Reverse(signature);
        using var openssl = Process.Start(new ProcessStartInfo(
            "openssl",
            ["dgst", "-sha256", "-verify", Write("key", Encoding.ASCII.GetBytes(_key.ExportPublicPem())), "-signature", Write("sig", signature), Write("data", sigstruct.SignedBytes())])
        {
            RedirectStandardOutput = true,
        })!;
        var output = openssl.StandardOutput.ReadToEnd().Trim();
        Assert.True(openssl.WaitForExit(30_000));
        return output;
    }

    private static string Digest(byte[] data) => Convert.ToHexStringLower(SHA256.HashData(data));

    private static X509Certificate2 Certificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UnixEpoch, new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero));
    }
}
