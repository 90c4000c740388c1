using System.Net;
using System.Text;
using System.Text.Json;
using Kist.Formats;

namespace Kist.Agent.GuestServices;

/// <summary>
/// The services by HTTP on 127.0.0.1:8006, as the API server of Confidential Containers offers them
/// (guest-components/api-server-rest): /cdh/resource/…, /aa/evidence, /aa/token, /aa/aael, /info.
/// </summary>
sealed class HttpFront(ServiceDesk desk, CallerLookup callers)
{
    public const int Port = 8006;

    private const int MaximumBody = 64 << 10, MaximumConcurrent = 32;
    private static readonly TimeSpan Timeout = TimeSpan.FromMinutes(2);

    /// <summary>Answers until the machine ends.</summary>
    public async Task ServeAsync()
    {
        using var listener = new HttpListener();
        listener.Prefixes.Add($"http://127.0.0.1:{Port}/");
        listener.Start();
        using var free = new SemaphoreSlim(MaximumConcurrent, MaximumConcurrent);
        while (true)
        {
            await free.WaitAsync();
            var context = await listener.GetContextAsync();
            _ = AnswerAsync(context, free);
        }
    }

    private async Task AnswerAsync(HttpListenerContext context, SemaphoreSlim free)
    {
        using var deadline = new CancellationTokenSource(Timeout);
        HttpAnswer answer;
        try
        {
            answer = callers.Find(context.Request.RemoteEndPoint, context.Request.LocalEndPoint) is { } caller
                ? await RouteAsync(caller, context.Request, deadline.Token)
                : HttpAnswer.Error(403, "the caller is no container of this pod");
        }
#pragma warning disable CA1031 // A caller must get an answer, and a defect must not end the agent.
        catch (Exception e)
#pragma warning restore CA1031
        {
            answer = HttpAnswer.Of(e);
        }

        try
        {
            await answer.SendAsync(context.Response, deadline.Token);
        }
        catch (Exception e) when (e is HttpListenerException or IOException or OperationCanceledException or InvalidOperationException)
        {
            // The caller has gone.
        }
        finally
        {
            free.Release();
        }
    }

    private async Task<HttpAnswer> RouteAsync(Caller caller, HttpListenerRequest request, CancellationToken cancellationToken)
    {
        const string ResourcePrefix = "/cdh/resource/";
        var path = request.Url!.AbsolutePath;
        if (path.StartsWith(ResourcePrefix, StringComparison.Ordinal))
            return await GetAsync(request, () => ResourceAsync(caller, path[ResourcePrefix.Length..], cancellationToken));
        return path switch
        {
            "/info" => await GetAsync(request, () => Task.FromResult(Info())),
            "/aa/evidence" => await GetAsync(request, () => EvidenceAsync(caller, request, cancellationToken)),
            // This guest has one TEE: there is no evidence of further ones, as the map of none says.
            "/aa/additional-evidence" => await GetAsync(request, () => Task.FromResult(HttpAnswer.Json("{}"u8.ToArray()))),
            "/aa/token" => await GetAsync(request, () => TokenAsync(caller, request, cancellationToken)),
            "/aa/aael" => request.HttpMethod == "POST" ? await EventAsync(caller, request, cancellationToken) : HttpAnswer.Error(405, "this is POST"),
            _ => HttpAnswer.Error(404, "there is no such service"),
        };
    }

    private static async Task<HttpAnswer> GetAsync(HttpListenerRequest request, Func<Task<HttpAnswer>> answer) =>
        request.HttpMethod == "GET" ? await answer() : HttpAnswer.Error(405, "this is GET");

    private async Task<HttpAnswer> ResourceAsync(Caller caller, string path, CancellationToken cancellationToken)
    {
        using var secret = await desk.GetResourceAsync(caller, $"kbs:///{path}", cancellationToken);
        return HttpAnswer.Bytes(secret.Span.ToArray());
    }

    private async Task<HttpAnswer> EvidenceAsync(Caller caller, HttpListenerRequest request, CancellationToken cancellationToken)
    {
        var text = request.QueryString["runtime_data"] ?? throw new ArgumentException("runtime_data is missing");
        var data = request.QueryString["encoding"] switch
        {
            null => Encoding.UTF8.GetBytes(text),
            "base64" => Base64Url(text),
            _ => throw new ArgumentException("the only encoding is base64"),
        };
        return HttpAnswer.Json(await desk.GetEvidenceAsync(caller, data, cancellationToken));
    }

    private async Task<HttpAnswer> TokenAsync(Caller caller, HttpListenerRequest request, CancellationToken cancellationToken) =>
        HttpAnswer.Json(await desk.GetTokenAsync(caller, request.QueryString["token_type"] ?? "", cancellationToken));

    private async Task<HttpAnswer> EventAsync(Caller caller, HttpListenerRequest request, CancellationToken cancellationToken)
    {
        var body = new byte[MaximumBody + 1];
        var length = await request.InputStream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellationToken);
        using var document = StrictJson.ParseObject(body.AsSpan(0, length), MaximumBody, "event");
        string Member(string name) => StrictJson.RequiredText(document.RootElement, name, "event");
        return await desk.ExtendAsync(caller, Member("domain"), Member("operation"), Member("content"), cancellationToken)
            ? HttpAnswer.Bytes([])
            : HttpAnswer.Error(501, "this TEE has no runtime register");
    }

    private HttpAnswer Info() => HttpAnswer.Json(Encoding.UTF8.GetBytes(
        $$"""{"version":"{{AgentVersion.Text}}","tee":"{{desk.Tee}}","simulated":{{(desk.IsSimulated ? "true" : "false")}},"feature":"all"}"""));

    private static byte[] Base64Url(string text)
    {
        try
        {
            return System.Buffers.Text.Base64Url.DecodeFromChars(text);
        }
        catch (FormatException)
        {
            throw new ArgumentException("runtime_data is no base64url");
        }
    }
}
