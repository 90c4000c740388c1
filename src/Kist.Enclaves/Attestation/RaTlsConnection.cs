using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Kist.Attestation.RaTls;
using Kist.Formats;

namespace Kist.Enclaves.Attestation;

/// <summary>
/// TLS 1.3 whose ends prove themselves as enclaves by their certificates. No authority is trusted; a certificate counts
/// by the evidence in it alone.
/// </summary>
public static class RaTlsConnection
{
    private static readonly SslApplicationProtocol s_protocol = new("kist-ra-tls");

    /// <summary>Connects as a client.</summary>
    /// <param name="stream">The connection; owned by the result.</param>
    /// <param name="server">Whom to accept.</param>
    /// <param name="own">This end's certificate for mutual attestation; null to stay anonymous.</param>
    /// <param name="cancellationToken">Stops the handshake.</param>
    /// <returns>The stream, and what was concluded about the peer.</returns>
    /// <exception cref="PeerRefusedException">The peer did not prove to be whom it should be.</exception>
    /// <exception cref="OperationFailedException">The handshake failed otherwise.</exception>
    public static async Task<(SslStream Stream, EnclaveVerification Peer)> ConnectAsync(
        Stream stream, RaTlsPeer server, X509Certificate2? own, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(server);
        EnclaveVerification? judged = null;
        string? defect = null;
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = "kist-enclave",
            EnabledSslProtocols = SslProtocols.Tls13,
            ApplicationProtocols = [s_protocol],
            ClientCertificates = own is null ? null : [own],
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => Accept(certificate, server, out judged, out defect),
        };
        var tls = new SslStream(stream, leaveInnerStreamOpen: false);
        await HandshakeAsync(tls, t => tls.AuthenticateAsClientAsync(options, t), () => (judged, defect), cancellationToken).ConfigureAwait(false);
        return (tls, judged!);
    }

    /// <summary>Accepts as a server.</summary>
    /// <param name="stream">The connection; owned by the result.</param>
    /// <param name="own">This end's certificate with its key.</param>
    /// <param name="client">Whom to accept; null to accept anonymous clients.</param>
    /// <param name="cancellationToken">Stops the handshake.</param>
    /// <returns>The stream, and what was concluded about the peer; null for an anonymous one.</returns>
    public static async Task<(SslStream Stream, EnclaveVerification? Peer)> AcceptAsync(
        Stream stream, X509Certificate2 own, RaTlsPeer? client, CancellationToken cancellationToken)
    {
        EnclaveVerification? judged = null;
        string? defect = null;
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificate = own,
            EnabledSslProtocols = SslProtocols.Tls13,
            ApplicationProtocols = [s_protocol],
            ClientCertificateRequired = client is not null,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => client is null || Accept(certificate, client, out judged, out defect),
        };
        var tls = new SslStream(stream, leaveInnerStreamOpen: false);
        await HandshakeAsync(tls, t => tls.AuthenticateAsServerAsync(options, t), () => (judged, defect), cancellationToken).ConfigureAwait(false);
        return (tls, judged);
    }

    private static bool Accept(X509Certificate? certificate, RaTlsPeer peer, out EnclaveVerification? judged, out string? defect)
    {
        judged = null;
        try
        {
            if (certificate is not X509Certificate2 presented)
            {
                defect = "the peer presented no certificate";
                return false;
            }

            judged = new EnclaveVerification(
                RaTlsVerifier.Verify(RaTlsEvidence.Read(presented.RawDataMemory), nonce: null, peer.Options(), peer.UseEndorsements));
            defect = judged.Reason;
            return judged.IsAccepted;
        }
        catch (MalformedDataException e)
        {
            defect = e.Message;
            return false;
        }
    }

    private static async Task HandshakeAsync(
        SslStream tls, Func<CancellationToken, Task> handshake, Func<(EnclaveVerification? Judged, string? Defect)> outcome, CancellationToken cancellationToken)
    {
        try
        {
            await handshake(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            var (judged, defect) = outcome();
            throw defect is null
                ? new OperationFailedException("attest peer", "RA-TLS connection", $"the handshake failed: {e.Message}", inner: e)
                : new PeerRefusedException(judged, defect, e);
        }
        catch
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
