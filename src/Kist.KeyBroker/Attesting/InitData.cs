using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kist.Formats;
using Kist.KeyBroker.Protocol;
using Tomlyn.Model;

namespace Kist.KeyBroker.Attesting;

/// <summary>
/// A guest's init-data (version 0.1.0 of CoCo's specification): the digest that the TEE must have measured, and the
/// content for policies.
/// </summary>
sealed class InitData
{
    private const string Structure = "init-data";
    private readonly TomlTable _data;

    private InitData(byte[] digest, TomlTable data)
    {
        Digest = digest;
        _data = data;
    }

    /// <summary>Digest of the document's bytes, by the algorithm that it names.</summary>
    public byte[] Digest { get; }

    /// <summary>Reads a document.</summary>
    /// <exception cref="MalformedDataException">It is not such a document.</exception>
    public static InitData Parse(InitDataMessage message)
    {
        if (message.Format != "toml")
            throw new MalformedDataException(Structure, -1, "its format must be \"toml\"");
        var document = TomlJson.Parse(message.Body, Structure);
        var algorithm = document.TryGetValue("algorithm", out var name) ? name as string : null;
        var bytes = Encoding.UTF8.GetBytes(message.Body);
        var digest = algorithm switch
        {
            "sha256" or "sha-256" => SHA256.HashData(bytes),
            "sha384" or "sha-384" => SHA384.HashData(bytes),
            "sha512" or "sha-512" => SHA512.HashData(bytes),
            _ => throw new MalformedDataException(Structure, -1, "\"algorithm\" must be sha256, sha384 or sha512"),
        };
        if (!document.TryGetValue("version", out var version) || version is not "0.1.0")
            throw new MalformedDataException(Structure, -1, "\"version\" must be \"0.1.0\"");
        return new InitData(digest, document.TryGetValue("data", out var data) && data is TomlTable table ? table : []);
    }

    /// <summary>
    /// Writes the content as policies expect it: members whose name ends in ".toml" parsed, the rest as text, and the
    /// agent's policy left out but for the object after a trailing "policy_data :=".
    /// </summary>
    public void WriteClaims(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        foreach (var (name, value) in _data)
        {
            if (name == "policy.rego" && value is string policy)
            {
                WriteAgentPolicy(writer, policy);
                continue;
            }

            writer.WritePropertyName(name);
            if (value is string text && name.EndsWith(".toml", StringComparison.Ordinal))
                TomlJson.Write(writer, TomlJson.Parse(text, $"{Structure} member {name}"));
            else
                TomlJson.Write(writer, value);
        }

        writer.WriteEndObject();
    }

    private static void WriteAgentPolicy(Utf8JsonWriter writer, string policy)
    {
        const string marker = "policy_data := ";
        var at = policy.LastIndexOf(marker, StringComparison.Ordinal);
        if (at < 0)
            return;
        try
        {
            using var data = StrictJson.Parse(Encoding.UTF8.GetBytes(policy[(at + marker.Length)..].Trim()), 1 << 20, "policy_data");
            writer.WritePropertyName("agent_policy_claims"u8);
            data.RootElement.WriteTo(writer);
        }
        catch (MalformedDataException)
        {
            // Not a plain JSON object at the policy's end: there are no claims to read from it.
        }
    }
}
