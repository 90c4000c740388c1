using System.Buffers;
using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Kist.Enclaves.Sgx;
using Kist.Enclaves.Signing.Service;
using Kist.Formats;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

namespace Kist.Cli.Commands.Sgx;

/// <summary>
/// The signing server's HTTPS side: POST /api/v1/signature/pkcs1 (256 bytes; answered with "signature" and "publicKey"), GET
/// /api/v1/public-key and /ping. Callers are known by their TLS certificate or bearer token; strangers learn nothing.
/// </summary>
sealed class SigningHost : IAsyncDisposable
{
    private readonly WebApplication _host;

    private SigningHost(WebApplication host, Uri endpoint)
    {
        _host = host;
        Endpoint = endpoint;
    }

    /// <summary>Where it listens.</summary>
    public Uri Endpoint { get; }

    public static async Task<SigningHost> StartAsync(IPEndPoint address, X509Certificate2 certificate, SigningService service, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = 256;
            kestrel.Limits.MaxRequestBodySize = 4096;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Listen(address, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.UseHttps(new HttpsConnectionAdapterOptions
                {
                    ServerCertificate = certificate,
                    SslProtocols = SslProtocols.Tls13,
                    ClientCertificateMode = ClientCertificateMode.AllowCertificate,
                    // Whose it is, is looked up by its key; no authority is asked.
                    ClientCertificateValidation = (_, _, _) => true,
                    HandshakeTimeout = TimeSpan.FromSeconds(10),
                });
            });
        });
        var host = builder.Build();
        host.Run(context => HandleAsync(context, service));
        try
        {
            await host.StartAsync(cancellationToken);
        }
        catch (IOException e)
        {
            await host.DisposeAsync();
            throw new OperationFailedException("start signing server", address.ToString(), e.Message, "choose another port, or stop what listens there", inner: e);
        }

        return new SigningHost(host, new Uri(host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()));
    }

    public async ValueTask DisposeAsync()
    {
        using (var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10)))
            await _host.StopAsync(limit.Token);
        await _host.DisposeAsync();
    }

    private static async Task HandleAsync(HttpContext http, SigningService service)
    {
        var (status, body) = await AnswerAsync(http, service);
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        http.Response.Headers.CacheControl = "no-store";
        http.Response.ContentLength = body.Length;
        await http.Response.Body.WriteAsync(body, http.RequestAborted);
    }

    private static async Task<(int Status, byte[] Body)> AnswerAsync(HttpContext http, SigningService service)
    {
        var request = http.Request;
        if (request is { Method: "GET", Path.Value: "/ping" })
            return (200, Json(w => w.WriteString("status"u8, "ok"u8)));
        if (service.CallerOf(http.Connection.ClientCertificate?.PublicKey.ExportSubjectPublicKeyInfo() ?? [], Bearer(request)) is not { } caller)
            return (401, Error("caller.unknown"));
        try
        {
            return (request.Method, request.Path.Value) switch
            {
                ("GET", "/api/v1/public-key") => (200, Json(w => w.WriteString("publicKey"u8, service.PublicKeyPem))),
                ("POST", RemoteSigner.SignaturePath) => (200, Signature(service, caller, await ReadAsync(http))),
                _ => (404, Error("path.unknown")),
            };
        }
        catch (SigningRefusedException)
        {
            return (403, Error("signing.refused"));
        }
        catch (Microsoft.AspNetCore.Http.BadHttpRequestException e)
        {
            return (e.StatusCode, Error("request.malformed"));
        }
        catch (OperationCanceledException)
        {
            return (408, Error("request.too_slow"));
        }
        catch (MalformedDataException)
        {
            return (400, Error("material.malformed"));
        }
    }

    private static byte[] Signature(SigningService service, string caller, byte[] material)
    {
        var signature = service.Sign(caller, material);
        return Json(w =>
        {
            w.WriteBase64String("signature"u8, signature);
            w.WriteString("publicKey"u8, service.PublicKeyPem);
        });
    }

    private static async Task<byte[]> ReadAsync(HttpContext http)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        limit.CancelAfter(TimeSpan.FromSeconds(10));
        // One byte more than it may have shows that it has more.
        var buffer = new byte[Sigstruct.SignedSize + 1];
        var length = await http.Request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, limit.Token);
        return buffer[..length];
    }

    private static string? Bearer(HttpRequest request) =>
        request.Headers.Authorization is [{ } value] && value.StartsWith("Bearer ", StringComparison.Ordinal) ? value["Bearer ".Length..] : null;

    private static byte[] Error(string code) => Json(w => w.WriteString("error"u8, code));

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
