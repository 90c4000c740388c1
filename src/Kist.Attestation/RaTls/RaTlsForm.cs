namespace Kist.Attestation.RaTls;

/// <summary>Whose form evidence in a certificate has, and with it what the quote's report data is of.</summary>
public enum RaTlsForm
{
    /// <summary>TCG DICE tagged evidence ("Interoperable RA-TLS"): SHA-256 of the claims, which name the key.</summary>
    Dice,

    /// <summary>A bare quote, as Gramine and RATS-TLS wrote before: SHA-256 of the SubjectPublicKeyInfo.</summary>
    Quote,

    /// <summary>dstack's: SHA-512 of "ratls-cert:" and the SubjectPublicKeyInfo.</summary>
    Dstack,

    /// <summary>Open Enclave's: a scheme of its own, which is not judged here.</summary>
    OpenEnclave,

    /// <summary>Intel's SDK without DICE evidence beside it: not judged here.</summary>
    IntelSdk,

    /// <summary>EPID: Intel's attestation report, or its parts. The service that made them is shut down.</summary>
    Epid,

    /// <summary>A local report, which only the same machine can check.</summary>
    LocalReport,
}
