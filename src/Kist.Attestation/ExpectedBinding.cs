namespace Kist.Attestation;

/// <summary>What the evidence has to bind: the freshness value of one handshake, and the guest's start-up configuration.</summary>
/// <param name="ReportData">
/// The bytes that the guest was to have signed, unpadded (48 for the KBS protocol, up to the field's size); each verifier
/// zero-pads them to its field. Null: the caller has no such value, and the check is reported as not done.
/// </param>
/// <param name="InitDataDigest">
/// Digest of the init-data document, in the document's own algorithm; each verifier pads or truncates it to its field as
/// the init-data specification says. Null: no init-data was announced, and the check is reported as not done.
/// </param>
public sealed record ExpectedBinding(ReadOnlyMemory<byte>? ReportData, ReadOnlyMemory<byte>? InitDataDigest)
{
    /// <summary>Nothing to compare with, as when a file is examined on its own.</summary>
    public static ExpectedBinding None { get; } = new(null, null);
}
