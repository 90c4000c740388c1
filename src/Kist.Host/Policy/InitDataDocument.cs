using System.Security.Cryptography;
using System.Text;
using Kist.Formats;

namespace Kist.Host;

/// <summary>
/// The init-data document (version 0.1.0): a guest's start-up configuration, whose digest the evidence carries. The digest
/// is over the document's bytes, so that they must travel unchanged.
/// </summary>
public sealed class InitDataDocument
{
    private InitDataDocument(string text)
    {
        Text = text;
        Bytes = Encoding.UTF8.GetBytes(text);
    }

    /// <summary>The TOML document.</summary>
    public string Text { get; }

    /// <summary>The document's bytes, as hashed and delivered.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>SHA-384 of the document: what MRCONFIGID must hold.</summary>
    public byte[] Digest() => SHA384.HashData(Bytes.Span);

    /// <summary>Writes a document for a guest that uses one broker.</summary>
    /// <param name="brokerUrl">The broker as the guest reaches it.</param>
    /// <param name="brokerCertificatePem">The one certificate that the guest accepts from it.</param>
    /// <param name="policy">The agent policy.</param>
    /// <param name="learn">True if the guest is to allow everything and write it down; only simulated platforms do.</param>
    /// <param name="images">How images may be pulled; null demands nothing.</param>
    public static InitDataDocument Compose(Uri brokerUrl, string brokerCertificatePem, string policy, bool learn = false, ImageDemands? images = null)
    {
        var certificate = Basic(brokerCertificatePem.ReplaceLineEndings("\n").TrimEnd('\n') + "\n");
        var url = Basic(brokerUrl.AbsoluteUri.TrimEnd('/'));
        var agent = $"[token_configs]\n[token_configs.kbs]\nurl = {url}\ncert = {certificate}\n";
        var hub = $"[kbc]\nname = \"cc_kbc\"\nurl = {url}\nkbs_cert = {certificate}\n{images?.ToToml(Basic)}";
        return new InitDataDocument(
            $"algorithm = \"sha384\"\nversion = \"0.1.0\"\n\n[data]\n" +
            $"\"aa.toml\" = {Literal(agent)}\n\"cdh.toml\" = {Literal(hub)}\n\"policy.rego\" = {Literal(policy)}\n" +
            Own(learn, images?.RegistryHosts ?? []));
    }

    private static string Own(bool learn, IReadOnlyList<string> registryHosts)
    {
        var hosts = registryHosts.Count > 0 ? $"registry_hosts = [{string.Join(", ", registryHosts.Select(Basic))}]\n" : "";
        var text = (learn ? "learn = true\n" : "") + hosts;
        return text.Length > 0 ? $"\"kist.toml\" = {Literal(text)}\n" : "";
    }

    /// <summary>Takes a document that the user wrote.</summary>
    /// <exception cref="MalformedDataException">It is not UTF-8, or is larger than a megabyte.</exception>
    public static InitDataDocument FromBytes(ReadOnlySpan<byte> bytes)
    {
        const int maxBytes = 1 << 20;
        if (bytes.Length > maxBytes)
            throw new MalformedDataException("init-data", maxBytes, $"it is larger than {maxBytes} bytes");
        try
        {
            return new InitDataDocument(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes));
        }
        catch (DecoderFallbackException e)
        {
            throw new MalformedDataException("init-data", e.Index, "it is not UTF-8", e);
        }
    }

    private static string Literal(string text) => text.Contains("'''", StringComparison.Ordinal)
        ? throw new OperationFailedException("write init-data", "policy", "it contains three apostrophes in a row", "escape one of them")
        : $"'''\n{text}'''";

    private static string Basic(string text)
    {
        var escaped = new StringBuilder("\"");
        foreach (var c in text)
        {
            _ = c switch
            {
                '"' => escaped.Append("\\\""),
                '\\' => escaped.Append("\\\\"),
                '\n' => escaped.Append("\\n"),
                < ' ' or '\x7f' => escaped.Append($"\\u{(int)c:X4}"),
                _ => escaped.Append(c),
            };
        }

        return escaped.Append('"').ToString();
    }
}
