using Kist.Formats;
using Kist.KeyBroker.Administration;
using Kist.KeyBroker.Errors;
using Kist.KeyBroker.Hosting;
using Kist.KeyBroker.Protocol;
using Microsoft.AspNetCore.Http;

namespace Kist.KeyBroker.Routes;

/// <summary>
/// The console's sign-in by redirect: <c>/console/session</c>, <c>/console/sign-in</c>, <c>/console/signed-in</c> and
/// <c>/console/sign-out</c>. The session is the provider's ID token in a cookie that no script can read.
/// </summary>
sealed class SignInRoutes(BrokerServices services)
{
    private const string PendingCookie = "__Host-kist-sign-in";
    private const int MaxCodeLength = 4096;

    // Browsers keep no cookies that are longer.
    private const int MaxCookieLength = 4000;

    private static readonly TimeSpan PendingFor = TimeSpan.FromMinutes(10);

    /// <summary>The answer, or null if the path is none of these.</summary>
    public Reply? Handle(BrokerContext context, string file) => (file, context.Method) switch
    {
        ("session", "GET") => Session(context),
        ("sign-in", "GET") => Begin(context),
        ("signed-in", "GET") => Complete(context),
        ("sign-out", "POST") => End(context),
        ("session" or "sign-in" or "signed-in" or "sign-out", _) => throw new BrokerRefusal(BrokerError.MethodNotAllowed),
        _ => null,
    };

    /// <summary>True for the routes that make the broker call the provider.</summary>
    public static bool CallsProvider(string file) => file is "sign-in" or "signed-in";

    /// <summary>With whom one can sign in, whether somebody is, and for which tenant.</summary>
    private Reply Session(BrokerContext context) => JsonReply.Write(writer =>
    {
        var administrator = context.ConsoleToken() is { } token ? services.Administrators.Find(token, context.Now) : null;
        writer.WriteStartObject();
        writer.WriteBoolean("signed_in"u8, administrator is not null);
        writer.WriteString("tenant"u8, administrator?.Tenant ?? "");
        writer.WriteStartArray("providers"u8);
        for (var i = 0; i < services.SignIn.Providers.Count; i++)
        {
            writer.WriteStartObject();
            writer.WriteNumber("id"u8, i);
            writer.WriteString("label"u8, services.SignIn.Providers[i].ConsoleClient!.Label);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    private Reply Begin(BrokerContext context)
    {
        var index = (int)context.Number("provider", 0, 0, int.MaxValue);
        var provider = Provider(index);
        var secret = SignInSecret.Create();
        var address = Asking(() => services.SignIn.Begin(provider, secret, ReturnAddress(context)));
        // Lax: it must come along when the provider's page leads back here.
        Set(context, PendingCookie, $"{index}.{secret.Text}", SameSiteMode.Lax, context.Now + PendingFor);
        return Redirect(context, address.AbsoluteUri);
    }

    private Reply Complete(BrokerContext context)
    {
        context.Http.Request.Cookies.TryGetValue(PendingCookie, out var pending);
        Set(context, PendingCookie, "", SameSiteMode.Lax, DateTimeOffset.UnixEpoch);
        var parts = (pending ?? "").Split('.', 2);
        if (parts.Length != 2 || !int.TryParse(parts[0], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var index)
            || SignInSecret.Parse(parts[1]) is not { } secret || !secret.IsState(context.Query("state")))
            return Failed(context, "began-elsewhere");
        if (context.Query("code") is not { Length: > 0 and <= MaxCodeLength } code)
            return Failed(context, "refused");
        var provider = Provider(index);
        var token = Asking(() => services.SignIn.Complete(provider, secret, ReturnAddress(context), code));
        if (token is null || services.Administrators.Find(token, context.Now) is null)
            return Failed(context, "nobody");
        if (token.Length > MaxCookieLength)
            return Failed(context, "too-long");
        // Strict: no other site's link or form makes a browser send it. It ends with the browser, at the latest with the token.
        Set(context, BrokerContext.ConsoleCookie, token, SameSiteMode.Strict, null);
        return Redirect(context, "/console/");
    }

    private static Reply End(BrokerContext context)
    {
        context.RequireConsole();
        Set(context, BrokerContext.ConsoleCookie, "", SameSiteMode.Strict, DateTimeOffset.UnixEpoch);
        return Reply.Empty;
    }

    private IdentityProvider Provider(int index) =>
        index < services.SignIn.Providers.Count ? services.SignIn.Providers[index] : throw new BrokerRefusal(BrokerError.NotFound);

    private static T Asking<T>(Func<T> ask)
    {
        try
        {
            return ask();
        }
        catch (OperationFailedException e)
        {
            throw new BrokerRefusal(BrokerError.Unavailable.Saying("the identity provider could not be asked; try again later"), e.Message, e);
        }
    }

    /// <summary>The provider compares it with those that it was told of: a made-up host leads nowhere.</summary>
    private static string ReturnAddress(BrokerContext context) => $"https://{context.Http.Request.Host}/console/signed-in";

    /// <summary>Back to the page, which says why.</summary>
    private static Reply Failed(BrokerContext context, string why) => Redirect(context, $"/console/?failed={why}");

    private static Reply Redirect(BrokerContext context, string address)
    {
        context.Http.Response.Headers.Location = address;
        context.Http.Response.Headers["Referrer-Policy"] = "no-referrer";
        return new Reply(default, null, StatusCodes.Status303SeeOther);
    }

    private static void Set(BrokerContext context, string name, string value, SameSiteMode sameSite, DateTimeOffset? until) =>
        context.Http.Response.Cookies.Append(name, value, new CookieOptions { Path = "/", Secure = true, HttpOnly = true, SameSite = sameSite, Expires = until });
}
