using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Kist.Formats;

namespace Kist.KeyBroker.Protocol;

/// <summary>
/// Decides about a broker's certificate when the system's authorities have no say: it is one of the pinned certificates,
/// byte for byte, or was issued by one of them and names the host.
/// </summary>
sealed class PinnedCertificate
{
    private readonly X509Certificate2Collection _pinned;

    public PinnedCertificate(string pem)
    {
        _pinned = [];
        try
        {
            _pinned.ImportFromPem(pem);
        }
        catch (CryptographicException e)
        {
            throw new MalformedDataException("pinned certificate", -1, "not certificates in PEM", e);
        }

        if (_pinned.Count == 0)
            throw new MalformedDataException("pinned certificate", -1, "there is no certificate in it");
    }

    public bool IsTrusted(X509Certificate? presented, SslPolicyErrors errors)
    {
        if (presented is not X509Certificate2 certificate)
            return false;
        // The pin came with the guest's measured configuration: it needs no name and no clock to be right.
        foreach (var pinned in _pinned)
        {
            if (CryptographicOperations.FixedTimeEquals(pinned.RawDataMemory.Span, certificate.RawDataMemory.Span))
                return true;
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_pinned);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1"));
        return chain.Build(certificate);
    }
}
