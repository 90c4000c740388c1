using System.Security.Cryptography;
using Kist.Attestation.Containers;
using Kist.Attestation.X509;
using Kist.Formats;

namespace Kist.Attestation.RaTls;

/// <summary>The evidence in a certificate, in whichever form, with what the certificate itself says. Nothing is verified.</summary>
public sealed class RaTlsEvidence
{
    /// <summary>Extension with tagged evidence (TCG DICE).</summary>
    public const string EvidenceOid = "2.23.133.5.4.9";

    /// <summary>Extension with endorsements (TCG DICE).</summary>
    public const string EndorsementsOid = "2.23.133.5.4.2";

    private const string Name = "RA-TLS certificate";

    /// <summary>The forms by their extension, the one that says most first.</summary>
    private static readonly (string Oid, RaTlsForm Form)[] s_forms =
    [
        (EvidenceOid, RaTlsForm.Dice),
        ("1.2.840.113741.1337.6", RaTlsForm.Quote),
        // Gramine up to now encodes the identifier's header into it once more, and so writes this one.
        ("0.6.9.42.840.113741.1337.6", RaTlsForm.Quote),
        ("1.3.6.1.4.1.62397.1.1", RaTlsForm.Dstack),
        ("1.3.6.1.4.1.62397.1.8", RaTlsForm.Dstack),
        ("1.2.840.113556.10.1.1", RaTlsForm.OpenEnclave),
        ("1.2.840.113556.10.1.2", RaTlsForm.OpenEnclave),
        ("1.2.840.113741.1.13.1", RaTlsForm.IntelSdk),
        ("1.2.840.113741.1337.14", RaTlsForm.LocalReport),
        ("1.2.840.113741.1337.2", RaTlsForm.Epid),
        ("1.2.840.113741.1337.3", RaTlsForm.Epid),
    ];

    private RaTlsEvidence(Certificate certificate, RaTlsForm form, ReadOnlyMemory<byte> quote, DiceClaims? claims, DcapCollateral? endorsements)
    {
        Certificate = certificate;
        Form = form;
        Quote = quote;
        Claims = claims;
        Endorsements = endorsements;
        Tee = quote.IsEmpty ? "sgx" : DiceEvidence.TeeOf(quote.Span);
    }

    /// <summary>Whose form it has.</summary>
    public RaTlsForm Form { get; }

    /// <summary>"sgx" or "tdx".</summary>
    public string Tee { get; }

    /// <summary>The quote; empty for a form that is not judged.</summary>
    public ReadOnlyMemory<byte> Quote { get; }

    /// <summary>What the quote binds besides the key's digest; null for all forms but DICE.</summary>
    public DiceClaims? Claims { get; }

    /// <summary>The collateral that came with it; null if none did.</summary>
    public DcapCollateral? Endorsements { get; }

    /// <summary>The certificate's key, DER.</summary>
    public ReadOnlyMemory<byte> SubjectPublicKeyInfo => Certificate.SubjectPublicKeyInfo;

    /// <summary>From when the certificate is valid.</summary>
    public DateTimeOffset NotBefore => Certificate.NotBefore;

    /// <summary>Until when the certificate is valid.</summary>
    public DateTimeOffset NotAfter => Certificate.NotAfter;

    internal Certificate Certificate { get; }

    /// <summary>What the quote's report data must begin with; null for a form whose scheme is not known here.</summary>
    public byte[]? ExpectedReportData() => Form switch
    {
        RaTlsForm.Dice => Claims!.Digest(),
        RaTlsForm.Quote => SHA256.HashData(SubjectPublicKeyInfo.Span),
        RaTlsForm.Dstack => SHA512.HashData([.. "ratls-cert:"u8, .. SubjectPublicKeyInfo.Span]),
        _ => null,
    };

    /// <summary>Reads a certificate in DER.</summary>
    /// <exception cref="MalformedDataException">It is none, carries no evidence, or the evidence does not follow its format.</exception>
    public static RaTlsEvidence Read(ReadOnlyMemory<byte> certificate) =>
        TryRead(certificate) ?? throw new MalformedDataException(Name, -1, $"no extension {EvidenceOid}, nor one of an older form: the peer does not prove itself");

    /// <summary>Reads a certificate in DER; null if it carries no evidence.</summary>
    /// <exception cref="MalformedDataException">It is no certificate, or the evidence does not follow its format.</exception>
    public static RaTlsEvidence? TryRead(ReadOnlyMemory<byte> certificate)
    {
        var parsed = Certificate.Parse(certificate);
        var extensions = parsed.Extensions.ToDictionary(e => ObjectId.Format(e.Id.Span), e => e.Value, StringComparer.Ordinal);
        foreach (var (oid, form) in s_forms)
        {
            if (extensions.TryGetValue(oid, out var value))
                return Read(parsed, form, value, extensions.GetValueOrDefault(EndorsementsOid));
        }

        return null;
    }

    private static RaTlsEvidence Read(Certificate certificate, RaTlsForm form, ReadOnlyMemory<byte> value, ReadOnlyMemory<byte> endorsements)
    {
        switch (form)
        {
            case RaTlsForm.Dice:
                var evidence = DiceEvidence.Parse(value);
                return new(certificate, form, evidence.Quote, evidence.Claims, endorsements.IsEmpty ? null : DiceEndorsements.Parse(endorsements));
            case RaTlsForm.Quote or RaTlsForm.Dstack:
                var inner = CertificateEvidence.WithoutOctetString(value);
                return new(certificate, form, DstackAttestation.QuoteOf(inner) is { IsEmpty: false } quote ? quote : inner, null, null);
            default:
                return new(certificate, form, default, null, null);
        }
    }
}
