using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Kist.KeyBroker.Hosting;

/// <summary>
/// The certificate that connections are served with. Its files are looked at now and then: a new certificate serves the
/// connections that come after it, and open ones go on.
/// </summary>
sealed class ServerCertificate : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    private readonly KeyBrokerOptions _options;
    private readonly ITimer _timer;
    private volatile Loaded _current;

    public ServerCertificate(KeyBrokerOptions options)
    {
        _options = options;
        _current = Load();
        _timer = options.Time.CreateTimer(_ => Reload(), null, Period, Period);
    }

    /// <summary>What the next connection is served with.</summary>
    public SslServerAuthenticationOptions Options => _current.Options;

    /// <summary>The present certificate.</summary>
    public X509Certificate2 Certificate => _current.Certificate;

    // Certificates of before are left to the collector: connections may still use them.
    public void Dispose()
    {
        _timer.Dispose();
        _current.Certificate.Dispose();
    }

    private void Reload()
    {
        var before = _current;
        try
        {
            if (TlsCertificate.StampOf(_options.StateDirectory) == before.Stamp && !TlsCertificate.EndsSoon(before.Certificate, _options.Time.GetUtcNow()))
                return;
            var loaded = Load();
            if (loaded.Certificate.RawDataMemory.Span.SequenceEqual(before.Certificate.RawDataMemory.Span) && loaded.Stamp == before.Stamp)
                return;
            _current = loaded;
            _options.Log?.Invoke(EventLine.Write(_options.Time.GetUtcNow(), "tls.certificate.loaded", $"valid until {loaded.Certificate.NotAfter.ToUniversalTime():u}"));
        }
        catch (Exception e)
        {
            // Mostly a half-written pair: the next look finds it whole. Until then the certificate of before serves.
            _options.Log?.Invoke(EventLine.Write(_options.Time.GetUtcNow(), "tls.certificate.failed", e.Message));
        }
    }

    private Loaded Load()
    {
        var (certificate, issuers) = TlsCertificate.LoadOrCreate(_options.StateDirectory, _options.CertificateNames, _options.Time.GetUtcNow());
        return new Loaded(certificate, TlsCertificate.StampOf(_options.StateDirectory), new SslServerAuthenticationOptions
        {
            // Offline: no issuer's certificate is fetched, whatever the certificate says about where one is.
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, issuers, offline: true),
            EnabledSslProtocols = SslProtocols.Tls13,
            ApplicationProtocols = [SslApplicationProtocol.Http11],
        });
    }

    private sealed record Loaded(X509Certificate2 Certificate, string Stamp, SslServerAuthenticationOptions Options);
}
