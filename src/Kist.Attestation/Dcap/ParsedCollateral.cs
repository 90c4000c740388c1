using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.Dcap;

/// <summary>A piece of collateral once read: its value, or why it could not be read.</summary>
internal readonly record struct Parsed<T>(T? Value, MalformedDataException? Error)
    where T : class
{
    public static Parsed<T> From(Func<T> read)
    {
        try
        {
            return new Parsed<T>(read(), null);
        }
        catch (MalformedDataException e)
        {
            return new Parsed<T>(null, e);
        }
    }
}

/// <summary>Intel's collateral once read. Nothing is verified here.</summary>
internal sealed class ParsedCollateral(DcapCollateral raw)
{
    public Parsed<TcbInfo> TcbInfo { get; } = Parsed<TcbInfo>.From(() => Dcap.TcbInfo.Parse(raw.TcbInfo));

    public Parsed<CertificatePath> TcbInfoChain { get; } = ReadChain(raw.TcbInfoIssuerChain);

    public Parsed<EnclaveIdentity> QeIdentity { get; } = Parsed<EnclaveIdentity>.From(() => EnclaveIdentity.Parse(raw.QeIdentity));

    public Parsed<CertificatePath> QeIdentityChain { get; } = ReadChain(raw.QeIdentityIssuerChain);

    public Parsed<CertificateRevocationList> PckCrl { get; } =
        Parsed<CertificateRevocationList>.From(() => CertificateRevocationList.Parse(raw.PckCrl));

    public Parsed<CertificateRevocationList> RootCaCrl { get; } =
        Parsed<CertificateRevocationList>.From(() => CertificateRevocationList.Parse(raw.RootCaCrl));

    /// <summary>True if one chain, byte for byte, signed both statements, so that it need be checked only once.</summary>
    public bool HasOneSigner { get; } = raw.TcbInfoIssuerChain.Span.SequenceEqual(raw.QeIdentityIssuerChain.Span);

    /// <summary>The CRLs that could be read.</summary>
    public IReadOnlyList<CertificateRevocationList> Crls =>
        [.. new[] { PckCrl.Value, RootCaCrl.Value }.OfType<CertificateRevocationList>()];

    private static Parsed<CertificatePath> ReadChain(ReadOnlyMemory<byte> pem) =>
        Parsed<CertificatePath>.From(() => CertificatePath.Build(PemReader.ReadCertificates(pem)));
}
