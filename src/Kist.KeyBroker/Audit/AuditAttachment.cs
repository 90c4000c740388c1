using System.Security.Cryptography;

namespace Kist.KeyBroker.Audit;

/// <summary>A document that audit entries point to.</summary>
/// <param name="Kind">"verdict", "evidence", "policy", …; unique within one entry.</param>
/// <param name="Content">Its bytes.</param>
sealed record AuditAttachment(string Kind, byte[] Content)
{
    /// <summary>"sha256:" and the digest of the content.</summary>
    public string Digest { get; } = $"sha256:{Convert.ToHexStringLower(SHA256.HashData(Content))}";
}
