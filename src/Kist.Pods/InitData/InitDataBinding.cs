using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Kist.Formats;

namespace Kist.Pods.InitData;

/// <summary>How an init-data document is bound to a launch: its digest in MRCONFIGID (48 bytes; longer is cut, shorter is padded with zeros).</summary>
public static partial class InitDataBinding
{
    private const int FieldSize = 48;

    /// <summary>The field's value for a document, by the algorithm that the document names.</summary>
    /// <exception cref="MalformedDataException">It names none, or one that is not known.</exception>
    public static byte[] MrConfigId(ReadOnlySpan<byte> document)
    {
        var digest = AlgorithmOf(document) switch
        {
            "sha256" => SHA256.HashData(document),
            "sha384" => SHA384.HashData(document),
            "sha512" => SHA512.HashData(document),
            var other => throw new MalformedDataException("init-data", -1, $"algorithm '{other}' is none of sha256, sha384, sha512"),
        };
        Array.Resize(ref digest, FieldSize);
        return digest;
    }

    private static string AlgorithmOf(ReadOnlySpan<byte> document)
    {
        var match = AlgorithmLine().Match(System.Text.Encoding.UTF8.GetString(document));
        return match.Success ? match.Groups[1].Value : throw new MalformedDataException("init-data", -1, "no line 'algorithm = \"…\"' comes before its first table");
    }

    /// <summary>The top-level key, which stands before the first table.</summary>
    [GeneratedRegex("""\A(?:(?!\s*\[)[^\n]*\n)*?[ \t]*algorithm[ \t]*=[ \t]*["']([a-z0-9]+)["'][ \t]*(?:#[^\n]*)?\r?(?:\n|\z)""", RegexOptions.CultureInvariant)]
    private static partial Regex AlgorithmLine();
}
