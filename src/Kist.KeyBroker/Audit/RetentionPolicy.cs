namespace Kist.KeyBroker.Audit;

/// <summary>How long the audit log keeps what. Null members: for ever.</summary>
public sealed record RetentionPolicy
{
    /// <summary>Evidence as guests sent it. Its verdict, which says what was checked and found, stays with the entry.</summary>
    public TimeSpan? Evidence { get; init; } = TimeSpan.FromDays(90);

    /// <summary>Most bytes of evidence, compressed; beyond it the oldest goes first.</summary>
    public long? EvidenceBytes { get; init; } = 4L * 1024 * 1024 * 1024;

    /// <summary>
    /// Whole entries, with all that they point to. A signed checkpoint takes their place; the hashes of the tree stay, so that
    /// proofs hold, and so do exports that were made before.
    /// </summary>
    public TimeSpan? Entries { get; init; }
}
