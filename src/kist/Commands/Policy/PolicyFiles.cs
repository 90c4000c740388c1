using System.CommandLine;
using Kist.Formats;
using Kist.Rego;

namespace Kist.Cli.Commands.Policy;

/// <summary>The options that these commands share, and the files they name.</summary>
static class PolicyFiles
{
    private const long MaxFileBytes = 64 * 1024 * 1024;

    public static Argument<string[]> Modules() => new("MODULE")
    {
        Arity = ArgumentArity.ZeroOrMore,
        Description = "Rego files, or directories with them.",
    };

    public static Option<string[]> Data() => new("--data", "-d")
    {
        Description = "JSON or YAML file (or directory of such and of .rego files) that becomes part of data.",
        AllowMultipleArgumentsPerToken = false,
    };

    public static Option<string?> Input() => new("--input", "-i") { Description = "JSON or YAML file that becomes input; - for standard input." };

    public static Option<bool> V0() => new("--v0-compatible") { Description = "Read the modules as Rego v0." };

    public static Option<bool> Strict() => new("--strict-builtin-errors") { Description = "A built-in function that fails ends the evaluation." };

    public static Option<bool> Json() => new("--json") { Description = "Print JSON." };

    /// <summary>Reads modules; a directory gives all .rego files below it, in order of their names.</summary>
    public static List<RegoModule> ReadModules(IEnumerable<string> paths) =>
        [.. paths.SelectMany(p => Below(p, ".rego")).Select(p => new RegoModule(p, ReadText(p)))];

    /// <summary>Reads data files and merges them: objects entry by entry, otherwise the later file wins.</summary>
    public static (RegoValue? Data, List<RegoModule> Modules) ReadData(IEnumerable<string> paths)
    {
        RegoValue? data = null;
        var modules = new List<RegoModule>();
        foreach (var path in paths)
        {
            modules.AddRange(ReadModules([path]).Where(m => m.Name.EndsWith(".rego", StringComparison.Ordinal)));
            foreach (var file in Below(path, ".json", ".yaml", ".yml"))
                data = Merge(data, RegoYaml.Read(ReadText(file)));
        }

        return (data, modules);
    }

    public static RegoValue? ReadInput(string? path) => path switch
    {
        null => null,
        "-" => RegoYaml.Read(Console.In.ReadToEnd()),
        _ => RegoYaml.Read(ReadText(path)),
    };

    public static string ReadText(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists)
            throw new OperationFailedException("read", path, "no such file");
        if (file.Length > MaxFileBytes)
            throw new OperationFailedException("read", path, $"the file is larger than {MaxFileBytes} bytes");
        return File.ReadAllText(path);
    }

    private static IEnumerable<string> Below(string path, params string[] extensions)
    {
        if (!Directory.Exists(path))
            return extensions.Contains(Path.GetExtension(path)) || (extensions is [".rego"] && !IsData(path)) ? [path] : [];
        return Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
            .Where(f => extensions.Contains(Path.GetExtension(f)))
            .Order(StringComparer.Ordinal);
    }

    private static bool IsData(string path) => Path.GetExtension(path) is ".json" or ".yaml" or ".yml";

    private static RegoValue Merge(RegoValue? first, RegoValue second)
    {
        if (first is not RegoObject a || second is not RegoObject b)
            return second;
        var entries = new List<(string, RegoValue)>();
        for (var i = 0; i < a.Count; i++)
            entries.Add((((RegoString)a.Keys[i]).Value, a.Values[i]));
        for (var i = 0; i < b.Count; i++)
        {
            var key = ((RegoString)b.Keys[i]).Value;
            entries.Add((key, Merge(a[key], b.Values[i])));
        }

        return RegoValue.ObjectOf([.. entries]);
    }
}
