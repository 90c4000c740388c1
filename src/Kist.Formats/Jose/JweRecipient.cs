using System.Text.Json;

namespace Kist.Formats.Jose;

/// <summary>One recipient of a <see cref="JweMessage"/>: how its copy of the content key was encrypted.</summary>
public sealed class JweRecipient
{
    internal JweRecipient(string algorithm, string? keyId, byte[] encryptedKey, EcJsonWebKey? ephemeralKey, byte[] partyU, byte[] partyV)
    {
        Algorithm = algorithm;
        KeyId = keyId;
        EncryptedKey = encryptedKey;
        EphemeralKey = ephemeralKey;
        PartyU = partyU;
        PartyV = partyV;
    }

    /// <summary>The "alg" header in force for this recipient.</summary>
    public string Algorithm { get; }

    /// <summary>The "kid" header in force for this recipient, or null.</summary>
    public string? KeyId { get; }

    /// <summary>The content key, encrypted.</summary>
    public ReadOnlyMemory<byte> EncryptedKey { get; }

    internal EcJsonWebKey? EphemeralKey { get; }

    internal byte[] PartyU { get; }

    internal byte[] PartyV { get; }

    /// <summary>Reads the headers in force for a recipient: the protected, shared and own ones, which must not overlap.</summary>
    internal static JweRecipient Create(ReadOnlySpan<JsonElement> headers, string encryptedKey)
    {
        var members = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var header in headers)
        {
            foreach (var member in header.EnumerateObject())
            {
                if (!members.TryAdd(member.Name, member.Value))
                    throw JweMessage.Malformed($"the header \"{member.Name}\" occurs twice");
            }
        }

        return new JweRecipient(
            Text(members, "alg") ?? throw JweMessage.Malformed("a recipient has no \"alg\""),
            Text(members, "kid"),
            Base64Url.Decode(encryptedKey, JweMessage.MaxEncryptedKeyBytes, "JWE encrypted key"),
            members.TryGetValue("epk", out var epk)
                ? JsonWebKey.Parse(epk) as EcJsonWebKey ?? throw JweMessage.Malformed("\"epk\" must be an EC key")
                : null,
            Base64Url.Decode(Text(members, "apu"), JweMessage.MaxPartyBytes, "JWE header apu"),
            Base64Url.Decode(Text(members, "apv"), JweMessage.MaxPartyBytes, "JWE header apv"));
    }

    private static string? Text(Dictionary<string, JsonElement> members, string name)
    {
        if (!members.TryGetValue(name, out var value))
            return null;
        if (value.ValueKind != JsonValueKind.String)
            throw JweMessage.Malformed($"the header \"{name}\" must be a string");
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            throw JweMessage.Malformed($"the header \"{name}\" is not Unicode text");
        }
    }
}
