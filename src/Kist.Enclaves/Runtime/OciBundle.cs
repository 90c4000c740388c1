using System.Text.Json;
using System.Text.Json.Nodes;
using Kist.Formats;

namespace Kist.Enclaves.Runtime;

/// <summary>
/// An OCI bundle's config.json (OCI runtime specification, config.md) as a tree that keeps what it does not know.
/// </summary>
public sealed class OciBundle
{
    private const string Name = "config.json";
    private const int MaxBytes = 16 << 20;

    private OciBundle(string directory, JsonObject config)
    {
        Directory = directory;
        Config = config;
    }

    /// <summary>Absolute path of the bundle.</summary>
    public string Directory { get; }

    /// <summary>The configuration.</summary>
    public JsonObject Config { get; }

    /// <summary>Absolute path of the container's root.</summary>
    public string RootPath =>
        Path.GetFullPath(Path.Combine(Directory, Text(Object(Config, "root"), "path") ?? throw Malformed("root.path is missing")));

    /// <summary>True if the container cannot write to its root.</summary>
    public bool RootIsReadOnly => Config["root"]?["readonly"]?.GetValue<bool>() ?? false;

    /// <summary>"process" of the configuration.</summary>
    public JsonObject Process => Object(Config, "process");

    /// <summary>Reads a bundle.</summary>
    /// <exception cref="OperationFailedException">It cannot be read.</exception>
    /// <exception cref="MalformedDataException">It is no configuration.</exception>
    public static OciBundle Read(string directory)
    {
        var path = Path.Combine(directory, Name);
        try
        {
            var file = new FileInfo(path);
            if (file.Length > MaxBytes)
                throw Malformed($"{file.Length} bytes are more than the limit of {MaxBytes}");
            var config = JsonNode.Parse(File.ReadAllBytes(path)) as JsonObject ?? throw Malformed("it must be a JSON object");
            return new OciBundle(Path.GetFullPath(directory), config);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OperationFailedException("read bundle", path, "it cannot be read", "name the bundle's directory by --bundle", inner: e);
        }
        catch (JsonException e)
        {
            throw new MalformedDataException(Name, e.BytePositionInLine ?? -1, "not valid JSON", e);
        }
    }

    /// <summary>An independent copy, for changing.</summary>
    public OciBundle Copy() => new(Directory, (JsonObject)Config.DeepClone());

    /// <summary>Writes the configuration into another directory, which becomes a bundle.</summary>
    public void WriteTo(string directory) => File.WriteAllText(Path.Combine(directory, Name), Config.ToJsonString());

    /// <summary>The value of an annotation, or null.</summary>
    public string? Annotation(string name) => Config["annotations"] is JsonObject all ? Text(all, name) : null;

    /// <summary>The process's environment, "NAME=value" in order.</summary>
    public IReadOnlyList<string> Environment => Texts(Process, "env");

    /// <summary>A member that must be an object.</summary>
    internal static JsonObject Object(JsonObject parent, string name) =>
        parent[name] as JsonObject ?? throw Malformed($"{name} is missing or no object");

    /// <summary>A member that must be a text if it is there.</summary>
    internal static string? Text(JsonObject parent, string name) => parent[name] switch
    {
        null => null,
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        _ => throw Malformed($"{name} is no text"),
    };

    /// <summary>A member that must be an array of texts; empty if it is not there.</summary>
    internal static IReadOnlyList<string> Texts(JsonObject parent, string name) => parent[name] switch
    {
        null => [],
        JsonArray array => [.. array.Select(e => e is JsonValue v && v.TryGetValue<string>(out var text) ? text : throw Malformed($"{name} holds something else than texts"))],
        _ => throw Malformed($"{name} is no array"),
    };

    /// <summary>A member that must be a number if it is there.</summary>
    internal static long Number(JsonObject? parent, string name, long otherwise) => parent?[name] switch
    {
        null => otherwise,
        JsonValue value when value.TryGetValue<long>(out var number) => number,
        _ => throw Malformed($"{name} is no whole number"),
    };

    internal static MalformedDataException Malformed(string reason) => new(Name, -1, reason);
}
