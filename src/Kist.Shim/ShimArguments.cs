using Kist.Formats;

namespace Kist.Shim;

/// <summary>
/// The command line that containerd gives to shims (core/runtime/v2/README.md, "Commands"): flags with one dash, then what
/// to do: "start", "delete" or, from ourselves, "serve".
/// </summary>
public sealed record ShimArguments
{
    /// <summary>The task's, and with it the bundle's, identifier.</summary>
    public string Id { get; init; } = "";

    /// <summary>containerd's namespace.</summary>
    public string Namespace { get; init; } = "";

    /// <summary>containerd's socket.</summary>
    public string Address { get; init; } = "";

    /// <summary>The program that publishes events for shims that cannot: containerd itself.</summary>
    public string PublishBinary { get; init; } = "";

    /// <summary>The bundle, where it is not the working directory.</summary>
    public string Bundle { get; init; } = "";

    /// <summary>True if containerd wants everything logged.</summary>
    public bool Debug { get; init; }

    /// <summary>"start", "delete", "serve"; "-v" for the version; "" if nothing was said.</summary>
    public string Action { get; init; } = "";

    /// <summary>Reads the command line.</summary>
    /// <exception cref="OperationFailedException">A flag is unknown or lacks its value.</exception>
    public static ShimArguments Parse(IReadOnlyList<string> arguments)
    {
        var parsed = new ShimArguments();
        for (var i = 0; i < arguments.Count; i++)
        {
            if (!arguments[i].StartsWith('-'))
            {
                parsed = parsed with { Action = arguments[i] };
                continue;
            }

            var flag = arguments[i].TrimStart('-');
            var equals = flag.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? flag : flag[..equals];
            parsed = name switch
            {
                "debug" => parsed with { Debug = equals < 0 || flag[(equals + 1)..] == "true" },
                "v" or "version" => parsed with { Action = "-v" },
                _ => parsed.With(name, equals >= 0 ? flag[(equals + 1)..] : ++i < arguments.Count ? arguments[i] : throw Unfit(name, "it needs a value")),
            };
        }

        return parsed;
    }

    private ShimArguments With(string name, string value) => name switch
    {
        "id" => this with { Id = value },
        "namespace" => this with { Namespace = value },
        "address" => this with { Address = value },
        "publish-binary" => this with { PublishBinary = value },
        "bundle" => this with { Bundle = value },
        "socket" => this,
        _ => throw Unfit(name, "there is no such flag"),
    };

    private static OperationFailedException Unfit(string flag, string reason) => new("read command line", $"-{flag}", reason);
}
