using System.Net;
using Kist.Formats;
using Kist.Images.Ocicrypt;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Kist.Cli.Commands.Image;

/// <summary>Serves a key provider by gRPC on loopback, without TLS, as ocicrypt's clients expect it.</summary>
static class KeyProviderServer
{
    private const int InvalidArgument = 3;
    private const int MaxBytes = 1024 * 1024;

    public static async Task RunAsync(KeyProviderService service, int port, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Limits.MaxRequestBodySize = MaxBytes;
            kestrel.AddServerHeader = false;
        });
        await using var application = builder.Build();
        application.Run(context => AnswerAsync(context, service));
        await application.StartAsync(cancellationToken);
        Terminal.Note($"key provider on 127.0.0.1:{port}");
        try
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await application.StopAsync(CancellationToken.None);
        }
    }

    private static async Task AnswerAsync(HttpContext context, KeyProviderService service)
    {
        if (context.Request.Path != KeyProviderGrpc.PathOf(isWrap: true) && context.Request.Path != KeyProviderGrpc.PathOf(isWrap: false))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        context.Response.ContentType = "application/grpc";
        try
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            var answer = await service.HandleAsync(KeyProviderGrpc.ReadMessage(body.ToArray()), context.RequestAborted);
            await context.Response.Body.WriteAsync(KeyProviderGrpc.WriteMessage(answer), context.RequestAborted);
            context.Response.AppendTrailer("grpc-status", "0");
        }
        catch (Exception e) when (e is OperationFailedException or MalformedDataException or IOException)
        {
            Terminal.Error(e.Message);
            context.Response.AppendTrailer("grpc-status", InvalidArgument.ToString());
            context.Response.AppendTrailer("grpc-message", Uri.EscapeDataString(e.Message));
        }
    }
}
