using Kist.Formats;

namespace Kist.Enclaves.Attestation;

/// <summary>The peer of an RA-TLS connection did not prove to be whom it should be.</summary>
/// <param name="verification">What was concluded; null if the peer offered nothing that could be judged.</param>
/// <param name="reason">Why it was refused.</param>
/// <param name="inner">What the handshake threw; null if it was over already.</param>
public sealed class PeerRefusedException(EnclaveVerification? verification, string reason, Exception? inner)
    : OperationFailedException("attest peer", "RA-TLS connection", reason, "check the reference against what the peer runs", inner: inner)
{
    /// <summary>What was concluded; null if the peer offered nothing that could be judged.</summary>
    public EnclaveVerification? Verification { get; } = verification;
}
