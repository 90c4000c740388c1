using System.Security.Cryptography;
using Kist.Attestation;
using Kist.Attestation.RaTls;
using Kist.Formats;
using Kist.Formats.Jose;
using Kist.KeyBroker.Audit;
using Kist.KeyBroker.Errors;

namespace Kist.KeyBroker.Attesting;

/// <summary>
/// By what the peer of an RA-TLS connection proves itself: its certificate alone, or its answer to a challenge of this
/// connection, for the certificate's key.
/// </summary>
sealed class ConnectionProof
{
    private readonly ReadOnlyMemory<byte> _certificate;
    private readonly ReadOnlyMemory<byte> _answer;

    private ConnectionProof(ReadOnlyMemory<byte> certificate, ReadOnlyMemory<byte> answer, ReadOnlyMemory<byte> nonce)
    {
        _certificate = certificate;
        _answer = answer;
        Nonce = nonce;
    }

    /// <summary>The nonce that was answered; empty where the certificate has to do.</summary>
    public ReadOnlyMemory<byte> Nonce { get; }

    /// <summary>What was sent, for the audit log.</summary>
    public IEnumerable<AuditAttachment> Attachments
    {
        get
        {
            yield return new AuditAttachment("certificate", _certificate.ToArray());
            if (!_answer.IsEmpty)
                yield return new AuditAttachment("answer", _answer.ToArray());
        }
    }

    /// <summary>A certificate, DER.</summary>
    public static ConnectionProof Of(ReadOnlyMemory<byte> certificate) => new(certificate, default, default);

    /// <summary>The answer to a challenge, for a certificate's key.</summary>
    public static ConnectionProof Of(ReadOnlyMemory<byte> certificate, ReadOnlyMemory<byte> answer, ReadOnlyMemory<byte> nonce) => new(certificate, answer, nonce);

    /// <summary>Judges it.</summary>
    /// <exception cref="MalformedDataException">It does not follow its format.</exception>
    public Verdict Verify(VerificationOptions options, bool useEndorsements, TimeSpan maximumLifetime)
    {
        var certificate = RaTlsEvidence.Read(_certificate);
        return _answer.IsEmpty
            ? RaTlsVerifier.Verify(certificate, nonce: null, options, useEndorsements, maximumLifetime)
            : RaTlsVerifier.Verify(DiceEvidence.Parse(_answer), certificate.SubjectPublicKeyInfo, Nonce, options);
    }

    /// <summary>The certificate's key, as tokens have it.</summary>
    /// <exception cref="BrokerRefusal">It is of a kind that tokens cannot have.</exception>
    public JsonWebKey ReadKey()
    {
        var info = RaTlsEvidence.Read(_certificate).SubjectPublicKeyInfo.Span;
        try
        {
            using var ec = ECDsa.Create();
            ec.ImportSubjectPublicKeyInfo(info, out _);
            return EcJsonWebKey.FromPublicKey(ec, JweAlgorithms.EcdhEsA256KW);
        }
        catch (Exception e) when (e is CryptographicException or MalformedDataException)
        {
            throw new BrokerRefusal(BrokerError.KeyUnsupported, "the certificate's key is not one of the curves P-256, P-384 and P-521", e);
        }
    }
}
