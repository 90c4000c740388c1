using Kist.Attestation;
using Kist.Formats;

namespace Kist.Enclaves.Attestation;

/// <summary>Whom to accept at the other end of an RA-TLS connection.</summary>
/// <param name="options">How to judge, references included; made anew for every judgement, since time and collateral move on.</param>
public sealed class RaTlsPeer(Func<VerificationOptions> options)
{
    /// <summary>An enclave.</summary>
    /// <param name="reference">The enclave that is expected.</param>
    /// <param name="options">How to judge; its references are replaced.</param>
    public RaTlsPeer(EnclaveReference reference, Func<VerificationOptions> options)
        : this(() => reference.Apply(options()))
    {
    }

    /// <summary>True to judge by the collateral in the peer's certificate where the verifier has none of its own.</summary>
    public bool UseEndorsements { get; init; }

    /// <summary>How to judge now.</summary>
    /// <exception cref="MalformedDataException">Nothing would be compared, so that anybody's TEE would do.</exception>
    internal VerificationOptions Options()
    {
        var judged = options();
        return judged.References.IsEmpty ? throw new MalformedDataException("peer reference", -1, "no measurement is given: any TEE would be accepted") : judged;
    }
}
