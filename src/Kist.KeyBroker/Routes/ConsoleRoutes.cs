using System.Collections.Frozen;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;

namespace Kist.KeyBroker.Routes;

/// <summary>
/// GET /console/…: the web console's files, which hold no secret and need no credential. It talks to /kist/v1 with the
/// token that its user types, and works without the internet.
/// </summary>
static class ConsoleRoutes
{
    private const string Prefix = "console/";

    // No inline script or style, nothing from elsewhere, and no page may frame it.
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    // What is embedded, and nothing else: a request's path is looked up, and never leads to a file.
    private static readonly FrozenDictionary<string, Lazy<Reply>> Files = typeof(ConsoleRoutes).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
        .ToFrozenDictionary(name => name == "console/index.html" ? "" : name[Prefix.Length..], Load);

    /// <summary>The names of the files, "" for the page itself.</summary>
    public static IEnumerable<string> Names => Files.Keys;

    public static Reply Handle(BrokerContext context, string file)
    {
        if (!Files.TryGetValue(file, out var reply))
            throw new BrokerRefusal(BrokerError.PathUnknown);
        if (context.Method != "GET")
            throw new BrokerRefusal(BrokerError.MethodNotAllowed);
        var headers = context.Http.Response.Headers;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        return reply.Value;
    }

    private static Lazy<Reply> Load(string name) => new(() =>
    {
        using var file = typeof(ConsoleRoutes).Assembly.GetManifestResourceStream(name)!;
        using var copy = new MemoryStream();
        file.CopyTo(copy);
        return new Reply(copy.ToArray(), Path.GetExtension(name) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            _ => "image/svg+xml",
        });
    });
}
