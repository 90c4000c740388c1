using System.Security.Cryptography;
using System.Text;
using Kist.Formats;
using Tomlyn;
using Tomlyn.Model;
using Tomlyn.Parsing;
using Tomlyn.Serialization;

namespace Kist.Pods.Protocol;

/// <summary>
/// An init-data document (Trustee, kbs/docs/initdata.md): TOML with the keys "version" and "algorithm" and a table "data" of
/// named texts. What identifies it is the digest of its bytes; there is no canonical form.
/// </summary>
public sealed class InitDataToml
{
    /// <summary>The version that is understood here.</summary>
    public const string SupportedVersion = "0.1.0";

    private readonly byte[] _document;
    private readonly IReadOnlyDictionary<string, string> _data;

    private InitDataToml(byte[] document, string algorithm, IReadOnlyDictionary<string, string> data)
    {
        _document = document;
        Algorithm = algorithm;
        _data = data;
    }

    /// <summary>"sha256", "sha384" or "sha512".</summary>
    public string Algorithm { get; }

    /// <summary>The document's bytes.</summary>
    public ReadOnlyMemory<byte> Document => _document;

    /// <summary>The named text, such as "policy.rego"; null if there is none.</summary>
    public string? Find(string name) => _data.GetValueOrDefault(name);

    /// <summary>Reads a document.</summary>
    /// <exception cref="MalformedDataException">It is no TOML, or lacks something, or defines something twice.</exception>
    public static InitDataToml Parse(ReadOnlySpan<byte> document)
    {
        if (document.Length > InitDataDisk.MaximumDocument)
            throw new MalformedDataException("init-data", InitDataDisk.MaximumDocument, $"is longer than {InitDataDisk.MaximumDocument} bytes");
        var table = TomlText.Parse(document, "init-data");
        var version = TomlText.Text(table, "version", "init-data");
        if (version != SupportedVersion)
            throw new MalformedDataException("init-data", -1, $"version '{version}' is not '{SupportedVersion}'");
        var algorithm = TomlText.Text(table, "algorithm", "init-data");
        if (algorithm is not ("sha256" or "sha384" or "sha512"))
            throw new MalformedDataException("init-data", -1, $"algorithm '{algorithm}' is none of sha256, sha384, sha512");
        var data = new Dictionary<string, string>(StringComparer.Ordinal);
        if (table.TryGetValue("data", out var value))
        {
            if (value is not TomlTable entries)
                throw new MalformedDataException("init-data", -1, "\"data\" is not a table");
            foreach (var name in entries.Keys)
                data.Add(name, TomlText.Text(entries, name, "init-data"));
        }

        return new InitDataToml(document.ToArray(), algorithm, data);
    }

    /// <summary>The document's digest by its own algorithm.</summary>
    public byte[] Digest() => Algorithm switch
    {
        "sha256" => SHA256.HashData(_document),
        "sha384" => SHA384.HashData(_document),
        _ => SHA512.HashData(_document),
    };

    /// <summary>The digest as a TEE's field of that many bytes holds it: cut, or padded with zeros.</summary>
    /// <param name="fieldSize">48 for TDX's MRCONFIGID, 32 for SNP's HOST_DATA.</param>
    public byte[] Field(int fieldSize)
    {
        var field = Digest();
        Array.Resize(ref field, fieldSize);
        return field;
    }
}

/// <summary>Strict reading of small TOML documents.</summary>
static class TomlText
{
    public static TomlTable Parse(ReadOnlySpan<byte> document, string structure)
    {
        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(document);
            // The strict parser is the one that refuses keys defined twice.
            SyntaxParser.ParseStrict(text, structure, true);
            return TomlSerializer.Deserialize(text, TomlContext.Default.TomlTable)
                ?? throw new MalformedDataException(structure, -1, "is empty");
        }
        catch (DecoderFallbackException e)
        {
            throw new MalformedDataException(structure, e.Index, "is not UTF-8", e);
        }
        catch (TomlException e)
        {
            throw new MalformedDataException(structure, -1, e.Message.Split('\n')[0], e);
        }
    }

    public static string Text(TomlTable table, string name, string structure) => OptionalText(table, name, structure)
        ?? throw new MalformedDataException(structure, -1, $"\"{name}\" is missing");

    public static string? OptionalText(TomlTable table, string name, string structure) => !table.TryGetValue(name, out var value)
        ? null
        : value as string ?? throw new MalformedDataException(structure, -1, $"\"{name}\" is not a string");

    public static TomlTable? OptionalTable(TomlTable table, string name, string structure) => !table.TryGetValue(name, out var value)
        ? null
        : value as TomlTable ?? throw new MalformedDataException(structure, -1, $"\"{name}\" is not a table");
}

[TomlSerializable(typeof(TomlTable))]
internal sealed partial class TomlContext : TomlSerializerContext;
