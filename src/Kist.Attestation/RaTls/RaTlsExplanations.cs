namespace Kist.Attestation.RaTls;

/// <summary>What the codes of evidence in certificates mean.</summary>
internal static class RaTlsExplanations
{
    public static IEnumerable<FindingExplanation> All =>
    [
        new("ratls.form", "the certificate's evidence has a form that can be judged",
            "Evidence in certificates has several forms. The interoperable one (TCG DICE tagged evidence), bare quotes over the key's "
            + "digest as Gramine and RATS-TLS wrote them, and dstack's are judged. Of the others it is not known here what the quote "
            + "binds, so nothing would tie it to the certificate's key."),
        new("ratls.certificate.validity", "the certificate is valid now",
            "The key in the enclave signs how long its certificate is valid, since evidence does not say when it was made. After that the "
            + "enclave proves itself anew. If it fails, ask for a new certificate, and compare the clocks."),
        new("ratls.certificate.signature", "the certificate's own key signed it",
            "Evidence speaks for the key; the key speaks for the certificate's dates. A certificate that an authority issued is not checked "
            + "in this way: its dates are the authority's word."),
        new("ratls.certificate.lifetime", "the certificate does not live too long",
            "Evidence without a nonce does not say when it was made; it may be as old as its certificate. Whoever wants recent evidence limits "
            + "how long a certificate may be valid, or has the peer answer a challenge."),
        new("ratls.key", "the evidence speaks for the peer's key",
            "The quote binds the digest of claims, and the claims name the key. Without this, anybody could put an enclave's evidence into a "
            + "certificate of his own. If it fails, somebody relays evidence that is not his."),
        new("ratls.nonce", "the evidence answers this challenge",
            "A nonce that the challenger has just chosen is among the claims that the quote binds: the evidence was made now."),
        new("ratls.endorsements", "the vendor's statements came with the certificate",
            "The verifier had no collateral of its own for this platform and used the peer's. It is signed by the vendor and verified as "
            + "always; the peer chose which of the statements that are in force it sends. A minimum evaluation number limits that choice."),
    ];
}
