using System.Text;
using Kist.Formats;
using Tomlyn.Model;

namespace Kist.Pods.Protocol;

/// <summary>
/// What a guest takes from its init-data: the key broker (aa.toml [token_configs.kbs] url and cert; cdh.toml [kbc] url and
/// kbs_cert, which must agree) and the agent policy (policy.rego).
/// </summary>
/// <param name="BrokerUrl">Null if no broker is named: nothing encrypted can run.</param>
/// <param name="BrokerCertificatePem">The one certificate, or its issuers, that the guest accepts from the broker; null if none is named.</param>
/// <param name="PolicyRego">Null if there is none: then the host may start nothing.</param>
public sealed record GuestConfiguration(Uri? BrokerUrl, string? BrokerCertificatePem, string? PolicyRego)
{
    /// <summary>How images may be pulled (cdh.toml [image]).</summary>
    public ImageSettings Images { get; init; } = new();

    /// <summary>
    /// True if the guest is to allow everything and write down what was asked (kist.toml learn = true). Refused on any
    /// platform that is not simulated.
    /// </summary>
    public bool Learn { get; init; }

    /// <summary>The configuration of a guest without init-data.</summary>
    public static GuestConfiguration None { get; } = new(null, null, null);

    /// <summary>Reads the configuration out of a document.</summary>
    /// <exception cref="MalformedDataException">A part is no TOML, or the parts name different brokers.</exception>
    public static GuestConfiguration From(InitDataToml initData)
    {
        var agent = Read(initData, "aa.toml", t => Table(Table(t, "token_configs"), "kbs"), "url", "cert");
        var hub = Read(initData, "cdh.toml", t => Table(t, "kbc"), "url", "kbs_cert");
        if (agent.Url is not null && hub.Url is not null && agent.Url.TrimEnd('/') != hub.Url.TrimEnd('/'))
            throw new MalformedDataException("init-data", -1, "aa.toml and cdh.toml name different brokers");
        if (agent.Certificate is not null && hub.Certificate is not null && agent.Certificate.Trim() != hub.Certificate.Trim())
            throw new MalformedDataException("init-data", -1, "aa.toml and cdh.toml have different certificates for the broker");
        var own = ReadOwn(initData);
        return new GuestConfiguration(Address(agent.Url ?? hub.Url), agent.Certificate ?? hub.Certificate, initData.Find("policy.rego"))
        {
            Images = ImageSettings.From(initData) with { TrustedHosts = own.RegistryHosts },
            Learn = own.Learn,
        };
    }

    private static (string? Url, string? Certificate) Read(InitDataToml initData, string name, Func<TomlTable, TomlTable?> find, string url, string certificate)
    {
        if (initData.Find(name) is not { } text || find(TomlText.Parse(Encoding.UTF8.GetBytes(text), name)) is not { } table)
            return (null, null);
        return (TomlText.OptionalText(table, url, name), TomlText.OptionalText(table, certificate, name));
    }

    /// <summary>kist.toml: what no data hub of others knows.</summary>
    private static (bool Learn, IReadOnlyList<string> RegistryHosts) ReadOwn(InitDataToml initData)
    {
        const string Own = "kist.toml";
        if (initData.Find(Own) is not { } text)
            return (false, []);
        var table = TomlText.Parse(Encoding.UTF8.GetBytes(text), Own);
        var (learn, hosts) = (false, Array.Empty<string>());
        foreach (var (name, value) in table)
        {
            if (name == "learn" && value is bool allows)
                learn = allows;
            else if (name == "registry_hosts" && value is TomlArray list && list.All(e => e is string { Length: > 0 }))
                hosts = [.. list.OfType<string>()];
            else
                throw new MalformedDataException(Own, -1, "it has \"learn\", true or false, \"registry_hosts\", an array of strings, and nothing else");
        }

        return (learn, hosts);
    }

    private static TomlTable? Table(TomlTable? table, string name) => table is null ? null : TomlText.OptionalTable(table, name, "init-data");

    private static Uri? Address(string? url)
    {
        if (url is null)
            return null;
        return Uri.TryCreate(url, UriKind.Absolute, out var address) && address.Scheme is "https" or "http"
            ? new Uri(url)
            : throw new MalformedDataException("init-data", -1, $"the broker's address '{url}' is no http or https URL");
    }
}
