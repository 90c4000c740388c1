using System.Text.RegularExpressions;
using Kist.Formats;

namespace Kist.Rune;

/// <summary>
/// The command line that OCI runtimes share (runc's): global options, a command, its options, the container's
/// identifier. Kept whole, so that it can be passed on; only what kist-rune needs is looked at.
/// </summary>
sealed partial class CommandLine
{
    private static readonly string[] s_globalWithValue = ["--log", "--log-format", "--root", "--criu", "--rootless", "--log-level"];

    private static readonly string[] s_commandWithValue =
    [
        "--bundle", "-b", "--console-socket", "--pid-file", "--preserve-fds", "--cwd", "--env", "-e", "--user", "-u",
        "--additional-gids", "-g", "--process", "-p", "--process-label", "--apparmor", "--cap", "-c", "--format", "--interval",
        "--nonce", "--cgroup", "--quote-type", "--reportFile", "--manifest-out", "--key",
        "--sigstruct-out", "--product", "--svn",
    ];

    private readonly string[] _args;
    private readonly int _command;

    private CommandLine(string[] args, int command)
    {
        _args = args;
        _command = command;
    }

    /// <summary>All of it.</summary>
    public IReadOnlyList<string> All => _args;

    /// <summary>The command; null if there is none, as with --version.</summary>
    public string? Command => _command < _args.Length ? _args[_command] : null;

    /// <summary>The options before the command.</summary>
    public IReadOnlyList<string> Global => _args[.._command];

    /// <summary>What follows the command.</summary>
    public IReadOnlyList<string> Rest => _command < _args.Length ? _args[(_command + 1)..] : [];

    /// <summary>Splits a command line.</summary>
    public static CommandLine Parse(string[] args)
    {
        var at = 0;
        while (at < args.Length && args[at].StartsWith('-'))
            at += s_globalWithValue.Contains(args[at]) ? 2 : 1;
        return new CommandLine(args, Math.Min(at, args.Length));
    }

    /// <summary>A global option's value, or null.</summary>
    public string? GlobalValue(string name) => Value(Global, name);

    /// <summary>A command's option's value by one of its names, or null.</summary>
    public string? Value(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (Value(Options(), name) is { } value)
                return value;
        }

        return null;
    }

    /// <summary>True if a command's option without a value is there.</summary>
    public bool Has(params ReadOnlySpan<string> names)
    {
        foreach (var option in Options())
        {
            if (names.Contains(option))
                return true;
        }

        return false;
    }

    /// <summary>What follows the command's options: the identifier and what belongs to it.</summary>
    public IReadOnlyList<string> Operands => [.. Rest.Skip(Options().Count)];

    /// <summary>The container's identifier.</summary>
    /// <exception cref="OperationFailedException">There is none, or it could not be one.</exception>
    public string Id
    {
        get
        {
            var id = (Operands is [var first, ..] ? first : null)
                ?? throw new OperationFailedException("read command line", Command ?? "", "the container's identifier is missing");
            return CheckId(id);
        }
    }

    /// <summary>An identifier that is safe in paths.</summary>
    public static string CheckId(string id) =>
        IdPattern().IsMatch(id) && id is not ("." or "..") ? id : throw new OperationFailedException("read command line", id, "no container can have this identifier");

    /// <summary>The same command line with another bundle.</summary>
    public IReadOnlyList<string> WithBundle(string bundle)
    {
        var rest = new List<string>();
        var options = Options();
        for (var i = 0; i < options.Count; i++)
        {
            if (options[i] is "--bundle" or "-b")
                i++;
            else if (!options[i].StartsWith("--bundle=", StringComparison.Ordinal) && !options[i].StartsWith("-b=", StringComparison.Ordinal))
                rest.Add(options[i]);
        }

        return [.. Global, Command!, "--bundle", bundle, .. rest, .. Operands];
    }

    /// <summary>
    /// "exec" for a process that stays, the program itself in the command line: whoever named it by a file removes that as
    /// soon as the program has been started.
    /// </summary>
    public IReadOnlyList<string> ExecInForeground(IReadOnlyList<string> program, bool terminal, string? console) =>
        [.. Global, "exec", .. terminal ? ["--tty"] : Array.Empty<string>(), .. console is null ? Array.Empty<string>() : ["--console-socket", console], Id, .. program];

    private IReadOnlyList<string> Options()
    {
        var rest = Rest;
        var at = 0;
        while (at < rest.Count && rest[at].StartsWith('-') && rest[at] != "-")
        {
            if (rest[at] == "--")
                return [.. rest.Take(at + 1)];
            at += TakesValue(rest[at]) ? 2 : 1;
        }

        return [.. rest.Take(Math.Min(at, rest.Count))];
    }

    /// <summary>-f is --force for delete, and --format for list and ps.</summary>
    private bool TakesValue(string option) => s_commandWithValue.Contains(option) || (option == "-f" && Command is ("list" or "ps"));

    private static string? Value(IReadOnlyList<string> options, string name)
    {
        for (var i = 0; i < options.Count; i++)
        {
            if (options[i] == name && i + 1 < options.Count)
                return options[i + 1];
            if (options[i].StartsWith(name + "=", StringComparison.Ordinal))
                return options[i][(name.Length + 1)..];
        }

        return null;
    }

    [GeneratedRegex(@"\A[\w+.-]{1,1024}\z")]
    private static partial Regex IdPattern();
}
