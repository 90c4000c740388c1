using Kist.Formats;
using Kist.Formats.Jose;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.Tokens;

namespace Kist.KeyBroker.Audit;

/// <summary>Signed statements of how many entries the audit log had at a time, and their root.</summary>
public static class TreeHeads
{
    private const int MaxPayloadBytes = 4096;

    /// <summary>Checks a head's signature, and that it says what the signature covers.</summary>
    public static bool Verify(AuditTreeHead head, JsonWebKey key)
    {
        if (head.Signature is null)
            return false;
        try
        {
            var token = JwsToken.Parse(head.Signature);
            if (token.Algorithm != "ES256" || !token.Verify(key))
                return false;
            var signed = KbsJson.Read<AuditTreeHead>(token.Payload.Span, MaxPayloadBytes);
            return signed.Size == head.Size && signed.Root == head.Root && signed.At == head.At;
        }
        catch (MalformedDataException)
        {
            return false;
        }
    }

    internal static AuditTreeHead Sign(SigningKey key, long size, byte[] root, DateTimeOffset at)
    {
        var head = new AuditTreeHead { Size = size, Root = Convert.ToHexStringLower(root), At = at };
        var payload = KbsJson.Write(head);
        return head with { Signature = key.Sign(payload, writer => writer.WriteString("kid"u8, key.KeyId)) };
    }
}
