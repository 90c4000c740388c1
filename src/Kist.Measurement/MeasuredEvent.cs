using System.Collections.Immutable;

namespace Kist.Measurement;

/// <summary>One extension of one register during a launch or boot.</summary>
/// <param name="Register">Number of the RTMR (0–3) or PCR (0–23).</param>
/// <param name="EventType">The TCG event type, as in the event log; see <see cref="EventLogs.TcgEventType"/>.</param>
/// <param name="Digest">What the register is extended by.</param>
/// <param name="Data">
/// The event's data in the log. It is informative: for most types the digest is over something else, named by
/// <paramref name="Description"/>.
/// </param>
/// <param name="Input">Which input decides the digest: "firmware", "memory", "kernel", … or "constant".</param>
/// <param name="Description">What was hashed, for a person.</param>
public sealed record MeasuredEvent(
    int Register, uint EventType, HashValue Digest, ImmutableArray<byte> Data, string Input, string Description);
