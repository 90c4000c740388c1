using System.CommandLine;
using Kist.Formats;
using Kist.Host;
using Kist.KeyBroker.Protocol;

namespace Kist.Cli.Commands.Broker;

/// <summary>The options that say which broker is administered, and as whom: the one named, or the one that kist up serves.</summary>
sealed class BrokerConnection
{
    private const string TokenVariable = "KIST_ADMIN_TOKEN";

    private readonly Option<string?> _broker = new("--broker") { Description = "Address of the key broker (default: the one that kist up serves)", HelpName = "URL" };
    private readonly Option<string?> _certificate = new("--broker-certificate") { Description = "File with the broker's certificate, or its authority's (PEM)", HelpName = "FILE" };
    private readonly Option<string?> _token = new("--admin-token") { Description = $"File with the administrator's token (default: the variable {TokenVariable})", HelpName = "FILE" };
    private readonly Option<string?> _state = StateOption.Create();

    /// <summary>Gives a command these options.</summary>
    public Command AddTo(Command command)
    {
        command.Add(_broker);
        command.Add(_certificate);
        command.Add(_token);
        command.Add(_state);
        return command;
    }

    /// <summary>A client of the administrator's interface. The caller disposes it.</summary>
    public KeyBrokerAdminClient Connect(ParseResult parse)
    {
        if (parse.GetValue(_broker) is not { } broker)
        {
            var endpoints = ServiceEndpoints.Require(parse.Open(_state));
            return new KeyBrokerAdminClient(endpoints.Broker, endpoints.BrokerCertificate, ReadFile(parse.GetValue(_token) ?? endpoints.AdminTokenFile));
        }

        if (!Uri.TryCreate(broker, UriKind.Absolute, out var address))
            throw new MalformedDataException("key broker address", -1, $"\"{broker}\" is no https address");
        var certificate = parse.GetValue(_certificate) is { } file ? ReadFile(file) : null;
        var token = parse.GetValue(_token) is { } tokenFile ? ReadFile(tokenFile) : Environment.GetEnvironmentVariable(TokenVariable);
        return token is { Length: > 0 }
            ? new KeyBrokerAdminClient(address, certificate, token)
            : throw new OperationFailedException("administer the key broker", broker, "there is no administrator's token", $"give --admin-token FILE, or set {TokenVariable}");
    }

    /// <summary>As <see cref="Connect"/>, but null if no broker was named and kist up serves none here.</summary>
    public KeyBrokerAdminClient? TryConnect(ParseResult parse) =>
        parse.GetValue(_broker) is null && ServiceEndpoints.TryRead(parse.Open(_state)) is null ? null : Connect(parse);

    /// <summary>A command that does one thing with a broker.</summary>
    public static Command Command(string name, string description, IEnumerable<Symbol> symbols, Func<ParseResult, KeyBrokerAdminClient, CancellationToken, Task<int>> act)
    {
        var connection = new BrokerConnection();
        var command = new Command(name, description);
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument)
                command.Add(argument);
            else
                command.Add((Option)symbol);
        }

        connection.AddTo(command);
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var client = connection.Connect(parse);
            return await act(parse, client, cancellationToken);
        });
        return command;
    }

    private static string ReadFile(string path) => File.ReadAllText(path).Trim() + "\n";
}
