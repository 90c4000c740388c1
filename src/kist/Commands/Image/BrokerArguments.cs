using System.CommandLine;
using Kist.Formats;
using Kist.Host;
using Kist.KeyBroker.Protocol;

namespace Kist.Cli.Commands.Image;

/// <summary>Which key broker gets an image's key, and as whom: the one named, or the one that kist up serves.</summary>
sealed class BrokerArguments
{
    private const string TokenVariable = "KIST_ADMIN_TOKEN";

    private readonly Option<string?> _broker = new("--broker") { Description = "Address of the key broker that gets the key (default: the one that kist up serves)", HelpName = "URL" };
    private readonly Option<string?> _certificate = new("--broker-certificate") { Description = "File with the broker's certificate, or its authority's (PEM)", HelpName = "FILE" };
    private readonly Option<string?> _token = new("--admin-token") { Description = $"File with the broker administrator's token (default: the variable {TokenVariable})", HelpName = "FILE" };
    private readonly Option<string?> _state = StateOption.Create();

    public void AddTo(Command command)
    {
        command.Add(_broker);
        command.Add(_certificate);
        command.Add(_token);
        command.Add(_state);
    }

    /// <summary>The broker's administration, or null if none was named and none is served here.</summary>
    public KeyBrokerAdminClient? Connect(ParseResult parse)
    {
        if (parse.GetValue(_broker) is not { } broker)
            return ServiceEndpoints.TryRead(parse.Open(_state))?.ConnectAsAdministrator();
        if (!Uri.TryCreate(broker, UriKind.Absolute, out var address) || address.Scheme != Uri.UriSchemeHttps)
            throw new MalformedDataException("broker address", -1, $"'{broker}' is no https address");
        var certificate = parse.GetValue(_certificate) is { } file ? File.ReadAllText(file) : null;
        return new KeyBrokerAdminClient(address, certificate, ReadToken(parse, broker));
    }

    private string ReadToken(ParseResult parse, string broker)
    {
        var token = parse.GetValue(_token) is { } file ? File.ReadAllText(file).Trim() : Environment.GetEnvironmentVariable(TokenVariable);
        return token is { Length: > 0 }
            ? token
            : throw new OperationFailedException("upload key", broker, "there is no administrator's token", $"give --admin-token FILE, or set {TokenVariable}");
    }
}
