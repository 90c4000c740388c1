using System.Globalization;
using System.Text;
using Kist.Formats;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Kist.Images.Ocicrypt;

/// <summary>
/// ocicrypt's file that names a key in a token: YAML (or JSON) {pkcs11: {uri: URI}, module: {env: {NAME: VALUE}}}. The URI is
/// RFC 7512's: token and object (labels), id, slot-id; module-path or module-name, pin-value or pin-source. For the host only.
/// </summary>
public sealed record Pkcs11KeyFile
{
    private const string Structure = "PKCS #11 key file";
    private const int MaxLength = 64 * 1024;

    /// <summary>Where module-name is looked for.</summary>
    private static readonly string[] s_moduleDirectories =
        ["/usr/lib64/pkcs11", "/usr/lib/pkcs11", "/usr/local/lib/pkcs11", "/usr/lib/softhsm", "/usr/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu/pkcs11"];

    /// <summary>The token's library.</summary>
    public required string ModulePath { get; init; }

    /// <summary>The token's label; null if <see cref="Slot"/> says which token.</summary>
    public string? Token { get; init; }

    /// <summary>The slot's identifier.</summary>
    public uint? Slot { get; init; }

    /// <summary>The key's label, or null.</summary>
    public string? Label { get; init; }

    /// <summary>The key's CKA_ID; may be empty.</summary>
    public byte[] Id { get; init; } = [];

    /// <summary>The user's PIN; null if the file names none.</summary>
    public string? Pin { get; init; }

    /// <summary>Variables that the module wants in its environment.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>True if a file may be one of these rather than a PEM key.</summary>
    public static bool LooksLikeOne(ReadOnlySpan<byte> file) => file.IndexOf("pkcs11:"u8) >= 0 && file.IndexOf("-----BEGIN"u8) < 0;

    /// <summary>Reads such a file.</summary>
    public static Pkcs11KeyFile Parse(ReadOnlySpan<byte> file)
    {
        if (file.Length > MaxLength)
            throw Malformed("the file is too large");
        var root = Load(Encoding.UTF8.GetString(file));
        var uri = TextOf(Find(Find(root, "pkcs11"), "uri")) ?? throw Malformed("pkcs11.uri is missing");
        var environment = Find(Find(root, "module"), "env") is YamlMappingNode variables
            ? variables.Children.ToDictionary(v => TextOf(v.Key) ?? "", v => TextOf(v.Value) ?? "", StringComparer.Ordinal)
            : [];
        return ParseUri(uri) with { Environment = environment };
    }

    private static Pkcs11KeyFile ParseUri(string uri)
    {
        if (!uri.StartsWith("pkcs11:", StringComparison.Ordinal))
            throw Malformed("the URI does not begin with pkcs11:");
        var question = uri.IndexOf('?', StringComparison.Ordinal);
        var path = Attributes(question < 0 ? uri[7..] : uri[7..question], ';');
        var query = question < 0 ? [] : Attributes(uri[(question + 1)..], '&');
        var file = new Pkcs11KeyFile
        {
            ModulePath = ModuleOf(query),
            Token = Text(path, "token"),
            Slot = Text(path, "slot-id") is { } slot ? uint.TryParse(slot, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : throw Malformed("slot-id is no number") : null,
            Label = Text(path, "object"),
            Id = path.GetValueOrDefault("id") ?? [],
            Pin = Text(query, "pin-value") ?? (Text(query, "pin-source") is { } source ? ReadPin(source) : null),
        };
        if (file.Token is null && file.Slot is null)
            throw Malformed("the URI names neither token nor slot-id");
        return file.Label is not null || file.Id.Length > 0 ? file : throw Malformed("the URI names no key: neither object nor id");
    }

    private static string ModuleOf(Dictionary<string, byte[]> query)
    {
        if (Text(query, "module-path") is { } path)
            return Path.IsPathRooted(path) ? path : throw Malformed("module-path is no absolute path");
        var name = Text(query, "module-name") ?? throw Malformed("the URI names neither module-path nor module-name");
        if (name.AsSpan().ContainsAny('/', '\0'))
            throw Malformed($"'{name}' is no module's name");
        return s_moduleDirectories.SelectMany(d => new[] { $"{d}/{name}.so", $"{d}/lib{name}.so", $"{d}/{name}" }).FirstOrDefault(File.Exists)
            ?? throw new OperationFailedException("find PKCS#11 library", name, "it is in none of the usual directories", "give module-path");
    }

    private static string ReadPin(string source)
    {
        var path = source.StartsWith("file:", StringComparison.Ordinal) ? new Uri(source).LocalPath : source;
        return File.ReadAllText(path).TrimEnd('\n', '\r');
    }

    private static Dictionary<string, byte[]> Attributes(string text, char separator)
    {
        var attributes = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var part in text.Split(separator, StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || !attributes.TryAdd(part[..equals], Unescape(part[(equals + 1)..])))
                throw Malformed("an attribute of the URI has no value, or is there twice");
        }

        return attributes;
    }

    private static byte[] Unescape(string text)
    {
        using var bytes = new MemoryStream();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
                bytes.Write(Encoding.UTF8.GetBytes(text, i, 1));
            else if (i + 2 < text.Length && byte.TryParse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
                (i, _) = (i + 2, Write(bytes, value));
            else
                throw Malformed("the URI has a broken % escape");
        }

        return bytes.ToArray();
    }

    private static bool Write(MemoryStream stream, byte value)
    {
        stream.WriteByte(value);
        return true;
    }

    private static string? Text(Dictionary<string, byte[]> attributes, string name) =>
        attributes.TryGetValue(name, out var value) ? Encoding.UTF8.GetString(value) : null;

    private static YamlNode? Load(string text)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (YamlException e)
        {
            throw new MalformedDataException(Structure, -1, "it is no YAML", e);
        }

        return stream.Documents.Count == 0 ? null : stream.Documents[0].RootNode;
    }

    private static YamlNode? Find(YamlNode? node, string name) =>
        node is YamlMappingNode map && map.Children.TryGetValue(new YamlScalarNode(name), out var found) ? found : null;

    private static string? TextOf(YamlNode? node) => (node as YamlScalarNode)?.Value;

    private static MalformedDataException Malformed(string reason) => new(Structure, -1, reason);
}
