using Kist.Attestation.Dcap;

namespace Kist.Attestation;

/// <summary>
/// Intel's statements about one kind of platform, as received. Nothing here is trusted until a verifier has checked it;
/// signatures are over the raw text. Immutable, and meant to be kept: a verifier remembers what it has parsed of it.
/// </summary>
public sealed class DcapCollateral
{
    private readonly Lazy<ParsedCollateral> _parsed;

    /// <summary>Creates the value; nothing is read until a verifier needs it.</summary>
    public DcapCollateral() => _parsed = new Lazy<ParsedCollateral>(() => new ParsedCollateral(this));

    internal ParsedCollateral Parsed => _parsed.Value;

    /// <summary>
    /// When the first of its parts ceases to be in force, as they say themselves (nothing is verified); null if a part that must say
    /// so cannot be read.
    /// </summary>
    public DateTimeOffset? ExpiresAt
    {
        get
        {
            var parsed = Parsed;
            return parsed.TcbInfo.Value is { } info && parsed.QeIdentity.Value is { } identity && parsed.PckCrl.Value?.NextUpdate is { } pck
                && parsed.RootCaCrl.Value?.NextUpdate is { } root
                ? new[] { info.NextUpdate, identity.NextUpdate, pck, root }.Min()
                : null;
        }
    }

    /// <summary>TCB info as its JSON document: {"tcbInfo":{…},"signature":"…"}.</summary>
    public required ReadOnlyMemory<byte> TcbInfo { get; init; }

    /// <summary>PEM chain of the key that signed <see cref="TcbInfo"/>, leaf first.</summary>
    public required ReadOnlyMemory<byte> TcbInfoIssuerChain { get; init; }

    /// <summary>Identity of the quoting enclave as its JSON document: {"enclaveIdentity":{…},"signature":"…"}.</summary>
    public required ReadOnlyMemory<byte> QeIdentity { get; init; }

    /// <summary>PEM chain of the key that signed <see cref="QeIdentity"/>, leaf first.</summary>
    public required ReadOnlyMemory<byte> QeIdentityIssuerChain { get; init; }

    /// <summary>CRL of the authority that issues PCK certificates, DER or PEM.</summary>
    public required ReadOnlyMemory<byte> PckCrl { get; init; }

    /// <summary>PEM chain of the authority that signed <see cref="PckCrl"/>; empty if the quote's own chain has it.</summary>
    public ReadOnlyMemory<byte> PckCrlIssuerChain { get; init; }

    /// <summary>CRL of the root, DER or PEM.</summary>
    public required ReadOnlyMemory<byte> RootCaCrl { get; init; }

    /// <summary>
    /// PEM chain of the platform's PCK certificate, leaf first, for quotes that do not carry it (certification data other
    /// than type 5); empty otherwise.
    /// </summary>
    public ReadOnlyMemory<byte> PckCertificateChain { get; init; }
}
